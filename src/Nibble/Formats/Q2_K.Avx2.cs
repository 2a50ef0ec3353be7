using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Formats;

public partial struct Q2_K : IAvx2Step<Q2_K, Q8_K>
{
    internal static float DotAvx2(ReadOnlySpan<Q2_K> weights, ReadOnlySpan<Q8_K> activations) => Avx2Loop.Dot(weights, activations);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> IAvx2Step<Q2_K, Q8_K>.Step(in Q2_K w, in Q8_K x, Vector256<float> total)
    {
        Vector128<byte> groups = Vector128.LoadUnsafe(in w.Groups[0]);
        Vector256<short> scales = Products.EvenThenOdd((groups & Vector128.Create((byte)15)).AsSByte());
        ref readonly byte quants = ref w.Quants[0];
        ref readonly sbyte values = ref x.Quants[0];
        Vector256<int> products = RunAvx2(in quants, in values, scales, 0) + RunAvx2(in quants, in values, scales, 1);
        Vector128<byte> minimums = (groups.AsUInt16() >> 4).AsByte() & Vector128.Create((byte)15);
        total = Products.AddScaled(total, -HalfScale.ToSingle(w.Minimum) * x.Scale, x.TimesSums(Avx2.ConvertToVector256Int16(minimums)));
        return Products.AddScaled(total, HalfScale.ToSingle(w.Scale) * x.Scale, products);
    }

    /// <summary>Of 128 weights, inlined so that <paramref name="run"/> is a constant.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> RunAvx2(ref readonly byte quants, ref readonly sbyte x, Vector256<short> scales, int run)
    {
        Vector256<byte> low = Vector256.Create((byte)3);
        nuint start = (nuint)(run * 128);
        Vector256<ushort> bits = Vector256.LoadUnsafe(in quants, start / 4).AsUInt16();
        Vector256<byte> w0 = bits.AsByte() & low, w1 = (bits >> 2).AsByte() & low, w2 = (bits >> 4).AsByte() & low, w3 = (bits >> 6).AsByte() & low;
        return Products.Scaled(w0, Vector256.LoadUnsafe(in x, start), Products.Repeat(scales, run * 4))
            + Products.Scaled(w1, Vector256.LoadUnsafe(in x, start + 32), Products.Repeat(scales, run * 4 + 1))
            + Products.Scaled(w2, Vector256.LoadUnsafe(in x, start + 64), Products.Repeat(scales, run * 4 + 2))
            + Products.Scaled(w3, Vector256.LoadUnsafe(in x, start + 96), Products.Repeat(scales, run * 4 + 3));
    }
}
