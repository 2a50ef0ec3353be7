using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Nibble.Formats;

namespace Nibble.Kernels.Panels;

/// <summary>
/// The dot product of one row of floating-point weights and one token, by AVX-512. It is assembled, for .NET has no intrinsic that widens
/// half precision, which takes seven instructions otherwise: then computing, not memory, would be the limit.
/// </summary>
internal sealed unsafe class FloatRowKernel
{
    private static readonly FloatRowKernel? s_f16 = Load(WeightWidth.Half), s_bf16 = Load(WeightWidth.UpperHalf), s_f32 = Load(WeightWidth.Single);

    private readonly nint _code;

    private FloatRowKernel(nint code) => _code = code;

    /// <summary>The kernel for a format, or <see langword="null"/> where the format is another, or the processor or the system cannot run it.</summary>
    public static FloatRowKernel? TryGet<TWeight>() where TWeight : unmanaged, IBlockShape =>
        typeof(TWeight) == typeof(F16) ? s_f16 : typeof(TWeight) == typeof(BF16) ? s_bf16 : typeof(TWeight) == typeof(F32) ? s_f32 : null;

    /// <param name="weights"><c>[columns]</c></param>
    /// <param name="token"><c>[columns]</c></param>
    /// <param name="columns">Columns, a multiple of <see cref="FloatRowAssembler.ColumnsAtATime"/>.</param>
    public float Dot(void* weights, float* token, int columns)
    {
        Debug.Assert(columns > 0 && columns % FloatRowAssembler.ColumnsAtATime == 0, "whole steps");
        float* sums = stackalloc float[Vector512<float>.Count];
        ((delegate* unmanaged[SuppressGCTransition]<void*, float*, nint, float*, void>)_code)(weights, token, columns / FloatRowAssembler.ColumnsAtATime, sums);
        return Vector256.Sum(Vector256.Load(sums) + Vector256.Load(sums + 8));
    }

    private static FloatRowKernel? Load(WeightWidth width) =>
        InstructionSets.HasAvx512 && RuntimeInformation.ProcessArchitecture == Architecture.X64 && FloatRowAssembler.Load(width) is not 0 and var code ? new(code) : null;
}
