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

    /// <summary>The values of a group of 32, in the same steps as without vectors.</summary>
    private static void DequantizeAvx2(ReadOnlySpan<byte> quants, int shift, float scale, float minimum, Span<float> values)
    {
        values = values[..32];
        Vector256<byte> levels = (Vector256.Create(quants).AsUInt16() >> shift).AsByte() & Vector256.Create((byte)15);
        Vector128<byte> low = levels.GetLower(), high = levels.GetUpper();
        Vector256<float> scales = Vector256.Create(scale), minimums = Vector256.Create(minimum);
        Put(low, values);
        Put(Vector128.Create(low.GetUpper(), low.GetUpper()), values[8..]);
        Put(high, values[16..]);
        Put(Vector128.Create(high.GetUpper(), high.GetUpper()), values[24..]);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        void Put(Vector128<byte> eight, Span<float> target) =>
            (scales * Vector256.ConvertToSingle(Avx2.ConvertToVector256Int32(eight)) - minimums).CopyTo(target);
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
