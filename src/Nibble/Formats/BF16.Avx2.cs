using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Formats;

public partial struct BF16
{
    internal static float DotAvx2(ReadOnlySpan<BF16> weights, ReadOnlySpan<F32> activations)
    {
        activations = activations[..weights.Length];
        ref readonly ushort w = ref MemoryMarshal.GetReference(MemoryMarshal.Cast<BF16, ushort>(weights));
        ref readonly float x = ref MemoryMarshal.GetReference(MemoryMarshal.Cast<F32, float>(activations));
        Vector256<float> even = Vector256<float>.Zero, odd = Vector256<float>.Zero;
        int i = 0;
        for (; i <= weights.Length - 16; i += 16)
        {
            even = Vector256.MultiplyAddEstimate(Values(in w, i), Vector256.LoadUnsafe(in x, (nuint)i), even);
            odd = Vector256.MultiplyAddEstimate(Values(in w, i + 8), Vector256.LoadUnsafe(in x, (nuint)i + 8), odd);
        }
        return Vector256.Sum(even + odd) + DotScalar(weights[i..], activations[i..]);
    }

    /// <summary>Writes the values of as many whole vectors as there are and returns their number.</summary>
    private static int DequantizeAvx2(ReadOnlySpan<BF16> blocks, Span<float> destination)
    {
        ref readonly ushort w = ref MemoryMarshal.GetReference(MemoryMarshal.Cast<BF16, ushort>(blocks));
        ref float y = ref MemoryMarshal.GetReference(destination);
        int i = 0;
        for (; i <= blocks.Length - 8; i += 8) Values(in w, i).StoreUnsafe(ref y, (nuint)i);
        return i;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Values(ref readonly ushort bits, int i) =>
        (Avx2.ConvertToVector256Int32(Vector128.LoadUnsafe(in bits, (nuint)i)) << 16).AsSingle();
}
