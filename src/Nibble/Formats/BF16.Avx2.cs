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
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int DequantizeAvx2(ReadOnlySpan<BF16> blocks, Span<float> destination)
    {
        ref readonly ushort w = ref MemoryMarshal.GetReference(MemoryMarshal.Cast<BF16, ushort>(blocks));
        ref float y = ref MemoryMarshal.GetReference(destination);
        int i = 0;
        for (; i <= blocks.Length - 8; i += 8) Values(in w, i).StoreUnsafe(ref y, (nuint)i);
        return i;
    }

    /// <summary>Stores as many whole vectors as there are, rounded as in the scalar code, and returns the number of values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int QuantizeAvx2(ReadOnlySpan<float> source, Span<BF16> blocks)
    {
        ref readonly int x = ref MemoryMarshal.GetReference(MemoryMarshal.Cast<float, int>(source));
        ref ushort y = ref MemoryMarshal.GetReference(MemoryMarshal.Cast<BF16, ushort>(blocks));
        int i = 0;
        for (; i <= source.Length - 16; i += 16)
        {
            // The pack works in each half of the vector: quarters come out in the order 0 2 1 3.
            Vector256<ushort> packed = Avx2.PackUnsignedSaturate(Rounded(Vector256.LoadUnsafe(in x, (nuint)i)), Rounded(Vector256.LoadUnsafe(in x, (nuint)i + 8)));
            Avx2.Permute4x64(packed.AsUInt64(), 0b11_01_10_00).AsUInt16().StoreUnsafe(ref y, (nuint)i);
        }
        return i;
    }

    /// <summary>The upper halves, rounded, of eight floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Rounded(Vector256<int> bits)
    {
        Vector256<int> isNaN = Vector256.GreaterThan(bits & Vector256.Create(0x7fff_ffff), Vector256.Create(0x7f80_0000));
        Vector256<int> nearest = bits + Vector256.Create(0x7fff) + (bits >>> 16 & Vector256<int>.One);
        return Vector256.ConditionalSelect(isNaN, bits | Vector256.Create(0x40_0000), nearest) >>> 16;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Values(ref readonly ushort bits, int i) =>
        (Avx2.ConvertToVector256Int32(Vector128.LoadUnsafe(in bits, (nuint)i)) << 16).AsSingle();
}
