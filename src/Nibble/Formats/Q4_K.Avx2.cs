using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Formats;

public partial struct Q4_K : IAvx2Step<Q4_K, Q8_K>
{
    internal static float DotAvx2(ReadOnlySpan<Q4_K> weights, ReadOnlySpan<Q8_K> activations) => Avx2Loop.Dot(weights, activations);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> IAvx2Step<Q4_K, Q8_K>.Step(in Q4_K w, in Q8_K x, Vector256<float> total)
    {
        Vector256<short> groups = Avx2.ConvertToVector256Int16(w.Groups.Unpack());
        Vector256<short> scales = Vector256.Create(groups.GetLower(), groups.GetLower());
        ref readonly byte quants = ref w.Quants[0];
        ref readonly sbyte values = ref x.Quants[0];
        Vector256<int> products = RunAvx2(in quants, in values, scales, 0) + RunAvx2(in quants, in values, scales, 1) + RunAvx2(in quants, in values, scales, 2) + RunAvx2(in quants, in values, scales, 3);
        Vector256<int> minimums = x.TimesPairsOfSums(groups.GetUpper());
        total = Products.AddScaled(total, -HalfScale.ToSingle(w.Minimum) * x.Scale, minimums);
        return Products.AddScaled(total, HalfScale.ToSingle(w.Scale) * x.Scale, products);
    }

    /// <summary>Of 64 weights, inlined so that <paramref name="run"/> is a constant.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> RunAvx2(ref readonly byte quants, ref readonly sbyte x, Vector256<short> scales, int run)
    {
        Vector256<byte> low = Vector256.Create((byte)15);
        Vector256<byte> packed = Vector256.LoadUnsafe(in quants, (nuint)(run * 32));
        Vector256<sbyte> x0 = Vector256.LoadUnsafe(in x, (nuint)(run * 64)), x1 = Vector256.LoadUnsafe(in x, (nuint)(run * 64 + 32));
        return Products.Scaled(packed & low, x0, Products.Repeat(scales, run * 2))
            + Products.Scaled((packed.AsUInt16() >> 4).AsByte() & low, x1, Products.Repeat(scales, run * 2 + 1));
    }
}
