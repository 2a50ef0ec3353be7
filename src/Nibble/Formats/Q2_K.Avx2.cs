using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Formats;

public partial struct Q2_K : IAvx2Step<Q2_K, Q8_K>
{
    internal static float DotAvx2(ReadOnlySpan<Q2_K> weights, ReadOnlySpan<Q8_K> activations) => Avx2Loop.Dot(weights, activations);

    static Vector256<float> IAvx2Step<Q2_K, Q8_K>.Step(in Q2_K w, in Q8_K x, Vector256<float> total)
    {
        Vector128<byte> groups = Vector128.LoadUnsafe(in w.Groups[0]);
        Vector256<short> scales = Products.EvenThenOdd((groups & Vector128.Create((byte)15)).AsSByte());
        Vector256<byte> low = Vector256.Create((byte)3);
        Vector256<int> products = Vector256<int>.Zero;
        for (int run = 0; run < 2; run++)
        {
            nuint start = (nuint)(run * 128);
            Vector256<ushort> bits = Vector256.LoadUnsafe(in w.Quants[0], start / 4).AsUInt16();
            Vector256<byte> w0 = bits.AsByte() & low, w1 = (bits >> 2).AsByte() & low, w2 = (bits >> 4).AsByte() & low, w3 = (bits >> 6).AsByte() & low;
            products += Products.Scaled(w0, Vector256.LoadUnsafe(in x.Quants[0], start), Products.Repeat(scales, run * 4));
            products += Products.Scaled(w1, Vector256.LoadUnsafe(in x.Quants[0], start + 32), Products.Repeat(scales, run * 4 + 1));
            products += Products.Scaled(w2, Vector256.LoadUnsafe(in x.Quants[0], start + 64), Products.Repeat(scales, run * 4 + 2));
            products += Products.Scaled(w3, Vector256.LoadUnsafe(in x.Quants[0], start + 96), Products.Repeat(scales, run * 4 + 3));
        }
        Vector128<byte> minimums = (groups.AsUInt16() >> 4).AsByte() & Vector128.Create((byte)15);
        total = Products.AddScaled(total, -(float)w.Minimum * x.Scale, x.TimesSums(Avx2.ConvertToVector256Int16(minimums)));
        return Products.AddScaled(total, (float)w.Scale * x.Scale, products);
    }
}
