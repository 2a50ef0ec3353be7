using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Formats;

public partial struct Q3_K : IAvx2Step<Q3_K, Q8_K>
{
    internal static float DotAvx2(ReadOnlySpan<Q3_K> weights, ReadOnlySpan<Q8_K> activations) => Avx2Loop.Dot(weights, activations);

    static Vector256<float> IAvx2Step<Q3_K, Q8_K>.Step(in Q3_K w, in Q8_K x, Vector256<float> total)
    {
        Vector128<sbyte> groups = w.Groups.Unpack();
        Vector256<short> scales = Products.EvenThenOdd(groups);
        Vector256<byte> low = Vector256.Create((byte)3), high = Vector256.Create((byte)4);
        Vector256<ushort> thirds = Vector256.LoadUnsafe(in w.ThirdBits[0]).AsUInt16();
        Vector256<int> products = Vector256<int>.Zero;
        for (int run = 0; run < 2; run++)
        {
            nuint start = (nuint)(run * 128);
            Vector256<ushort> bits = Vector256.LoadUnsafe(in w.Quants[0], start / 4).AsUInt16();
            // Bits 3-0 of each byte of `thirds` are those of this run's four vectors.
            Vector256<byte> w0 = bits.AsByte() & low | (thirds << 2).AsByte() & high;
            Vector256<byte> w1 = (bits >> 2).AsByte() & low | (thirds << 1).AsByte() & high;
            Vector256<byte> w2 = (bits >> 4).AsByte() & low | thirds.AsByte() & high;
            Vector256<byte> w3 = (bits >> 6).AsByte() & low | (thirds >> 1).AsByte() & high;
            products += Products.Scaled(w0, Vector256.LoadUnsafe(in x.Quants[0], start), Products.Repeat(scales, run * 4));
            products += Products.Scaled(w1, Vector256.LoadUnsafe(in x.Quants[0], start + 32), Products.Repeat(scales, run * 4 + 1));
            products += Products.Scaled(w2, Vector256.LoadUnsafe(in x.Quants[0], start + 64), Products.Repeat(scales, run * 4 + 2));
            products += Products.Scaled(w3, Vector256.LoadUnsafe(in x.Quants[0], start + 96), Products.Repeat(scales, run * 4 + 3));
            thirds >>= 4;
        }
        // The weights above are 4 too large: take 4 * scale * (sum of the group's activations) off.
        products -= x.TimesSums(Avx2.ConvertToVector256Int16(groups)) << 2;
        return Products.AddScaled(total, (float)w.Scale * x.Scale, products);
    }
}
