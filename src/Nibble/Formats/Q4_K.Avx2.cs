using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Formats;

public partial struct Q4_K : IAvx2Step<Q4_K, Q8_K>
{
    internal static float DotAvx2(ReadOnlySpan<Q4_K> weights, ReadOnlySpan<Q8_K> activations) => Avx2Loop.Dot(weights, activations);

    static Vector256<float> IAvx2Step<Q4_K, Q8_K>.Step(in Q4_K w, in Q8_K x, Vector256<float> total)
    {
        Vector256<short> groups = Avx2.ConvertToVector256Int16(w.Groups.Unpack());
        Vector256<short> scales = Vector256.Create(groups.GetLower(), groups.GetLower());
        Vector256<byte> low = Vector256.Create((byte)15);
        Vector256<int> products = Vector256<int>.Zero;
        for (int run = 0; run < 4; run++)
        {
            Vector256<byte> packed = Vector256.LoadUnsafe(in w.Quants[0], (nuint)(run * 32));
            Vector256<sbyte> x0 = Vector256.LoadUnsafe(in x.Quants[0], (nuint)(run * 64)), x1 = Vector256.LoadUnsafe(in x.Quants[0], (nuint)(run * 64 + 32));
            products += Products.Scaled(packed & low, x0, Products.Repeat(scales, run * 2));
            products += Products.Scaled((packed.AsUInt16() >> 4).AsByte() & low, x1, Products.Repeat(scales, run * 2 + 1));
        }
        Vector256<int> minimums = x.TimesPairsOfSums(groups.GetUpper());
        total = Products.AddScaled(total, -(float)w.Minimum * x.Scale, minimums);
        return Products.AddScaled(total, (float)w.Scale * x.Scale, products);
    }
}
