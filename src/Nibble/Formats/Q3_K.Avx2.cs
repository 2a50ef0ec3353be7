using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Formats;

public partial struct Q3_K : IAvx2Step<Q3_K, Q8_K>
{
    internal static float DotAvx2(ReadOnlySpan<Q3_K> weights, ReadOnlySpan<Q8_K> activations) => Avx2Loop.Dot(weights, activations);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> IAvx2Step<Q3_K, Q8_K>.Step(in Q3_K w, in Q8_K x, Vector256<float> total)
    {
        Vector128<sbyte> groups = w.Groups.Unpack();
        Vector256<short> scales = Products.EvenThenOdd(groups);
        Vector256<ushort> thirds = Vector256.LoadUnsafe(in w.ThirdBits[0]).AsUInt16();
        ref readonly byte quants = ref w.Quants[0];
        ref readonly sbyte values = ref x.Quants[0];
        Vector256<int> products = RunAvx2(in quants, in values, scales, thirds, 0) + RunAvx2(in quants, in values, scales, thirds >> 4, 1);
        // The weights above are 4 too large: take 4 * scale * (sum of the group's activations) off.
        products -= x.TimesSums(Avx2.ConvertToVector256Int16(groups)) << 2;
        return Products.AddScaled(total, HalfScale.ToSingle(w.Scale) * x.Scale, products);
    }

    /// <summary>
    /// Of 128 weights, inlined so that <paramref name="run"/> is a constant. Bits 3-0 of each byte of <paramref name="thirds"/>
    /// are those of this run's four vectors.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> RunAvx2(ref readonly byte quants, ref readonly sbyte x, Vector256<short> scales, Vector256<ushort> thirds, int run)
    {
        Vector256<byte> low = Vector256.Create((byte)3), high = Vector256.Create((byte)4);
        nuint start = (nuint)(run * 128);
        Vector256<ushort> bits = Vector256.LoadUnsafe(in quants, start / 4).AsUInt16();
        Vector256<byte> w0 = bits.AsByte() & low | (thirds << 2).AsByte() & high;
        Vector256<byte> w1 = (bits >> 2).AsByte() & low | (thirds << 1).AsByte() & high;
        Vector256<byte> w2 = (bits >> 4).AsByte() & low | thirds.AsByte() & high;
        Vector256<byte> w3 = (bits >> 6).AsByte() & low | (thirds >> 1).AsByte() & high;
        return Products.Scaled(w0, Vector256.LoadUnsafe(in x, start), Products.Repeat(scales, run * 4))
            + Products.Scaled(w1, Vector256.LoadUnsafe(in x, start + 32), Products.Repeat(scales, run * 4 + 1))
            + Products.Scaled(w2, Vector256.LoadUnsafe(in x, start + 64), Products.Repeat(scales, run * 4 + 2))
            + Products.Scaled(w3, Vector256.LoadUnsafe(in x, start + 96), Products.Repeat(scales, run * 4 + 3));
    }
}
