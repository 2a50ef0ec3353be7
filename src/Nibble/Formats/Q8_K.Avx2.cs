using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Formats;

public partial struct Q8_K
{
    /// <summary>Eight sums that together are the sum of sixteen numbers, one per group of 16 values, times the sums of those values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly Vector256<int> TimesSums(Vector256<short> perGroup) =>
        Avx2.MultiplyAddAdjacent(perGroup, Vector256.LoadUnsafe(in Sums[0]));

    /// <summary>Sums that together are the sum of eight numbers, one per group of 32 values, times the sums of those values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly Vector256<int> TimesPairsOfSums(Vector128<short> perGroup)
    {
        Vector128<short> sums = Ssse3.HorizontalAdd(Vector128.LoadUnsafe(in Sums[0]), Vector128.LoadUnsafe(in Sums[8]));
        return Sse2.MultiplyAddAdjacent(perGroup, sums).ToVector256();
    }

    internal static void QuantizeAvx2(ReadOnlySpan<float> source, Span<Q8_K> blocks)
    {
        for (int b = 0; b < blocks.Length; b++) QuantizeAvx2(source.Slice(b * 256, 256), ref blocks[b]);
    }

    private static void QuantizeAvx2(ReadOnlySpan<float> values, ref Q8_K block)
    {
        ref readonly float x = ref values[0];
        Vector256<float> magnitudes = Vector256<float>.Zero;
        // VMAXPS gives its second operand where one is NaN.
        for (nuint i = 0; i < 256; i += 8) magnitudes = Avx.Max(Vector256.Abs(Vector256.LoadUnsafe(in x, i)), magnitudes);
        float largest = FloatLanes.Max(magnitudes);
        if (largest == 0)
        {
            block = default;
            return;
        }
        float inverse = -127 / FirstOfMagnitude(values, largest);
        Vector256<float> scale = Vector256.Create(inverse);
        for (int i = 0; i < 8; i++)
        {
            Vector256<sbyte> quants = FloatLanes.LowBytes(
                Avx.ConvertToVector256Int32(Vector256.LoadUnsafe(in x, (nuint)(i * 32)) * scale),
                Avx.ConvertToVector256Int32(Vector256.LoadUnsafe(in x, (nuint)(i * 32 + 8)) * scale),
                Avx.ConvertToVector256Int32(Vector256.LoadUnsafe(in x, (nuint)(i * 32 + 16)) * scale),
                Avx.ConvertToVector256Int32(Vector256.LoadUnsafe(in x, (nuint)(i * 32 + 24)) * scale));
            quants.StoreUnsafe(ref block.Quants[0], (nuint)(i * 32));
            // Bytes plus 128 are unsigned; VPSADBW sums each eight of them.
            Vector256<ushort> sums = Avx2.SumAbsoluteDifferences(quants.AsByte() ^ Vector256.Create((byte)128), Vector256<byte>.Zero);
            block.Sums[2 * i] = (short)(sums[0] + sums[4] - 16 * 128);
            block.Sums[2 * i + 1] = (short)(sums[8] + sums[12] - 16 * 128);
        }
        block.Scale = 1 / inverse;
    }

    private static float FirstOfMagnitude(ReadOnlySpan<float> values, float magnitude)
    {
        for (int i = 0; i < 256; i += 8)
        {
            uint found = Vector256.Equals(Vector256.Abs(Vector256.LoadUnsafe(in values[0], (nuint)i)), Vector256.Create(magnitude)).ExtractMostSignificantBits();
            if (found != 0) return values[i + BitOperations.TrailingZeroCount(found)];
        }
        throw new UnreachableException();
    }
}
