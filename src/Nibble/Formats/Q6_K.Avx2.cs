using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Formats;

public partial struct Q6_K : IAvx2Step<Q6_K, Q8_K>
{
    internal static float DotAvx2(ReadOnlySpan<Q6_K> weights, ReadOnlySpan<Q8_K> activations) => Avx2Loop.Dot(weights, activations);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> IAvx2Step<Q6_K, Q8_K>.Step(in Q6_K w, in Q8_K x, Vector256<float> total)
    {
        Vector128<sbyte> groups = Vector128.LoadUnsafe(in w.Groups[0]);
        Vector256<short> scales = Products.EvenThenOdd(groups);
        ref readonly byte quants = ref w.Quants[0], high = ref w.HighBits[0];
        ref readonly sbyte values = ref x.Quants[0];
        Vector256<int> products = RunAvx2(in quants, in high, in values, scales, 0) + RunAvx2(in quants, in high, in values, scales, 1);
        // The weights above are 32 too large: take 32 * scale * (sum of the group's activations) off.
        products -= x.TimesSums(Avx2.ConvertToVector256Int16(groups)) << 5;
        return Products.AddScaled(total, HalfScale.ToSingle(w.Scale) * x.Scale, products);
    }

    /// <summary>Of 128 weights, inlined so that <paramref name="run"/> is a constant.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> RunAvx2(ref readonly byte quants, ref readonly byte highBits, ref readonly sbyte x, Vector256<short> scales, int run)
    {
        Vector256<byte> low = Vector256.Create((byte)15), high = Vector256.Create((byte)0x30);
        nuint start = (nuint)(run * 128);
        Vector256<ushort> bits = Vector256.LoadUnsafe(in highBits, start / 4).AsUInt16();
        Vector256<ushort> q0 = Vector256.LoadUnsafe(in quants, start / 2).AsUInt16(), q1 = Vector256.LoadUnsafe(in quants, start / 2 + 32).AsUInt16();
        Vector256<byte> w0 = q0.AsByte() & low | (bits << 4).AsByte() & high;
        Vector256<byte> w1 = q1.AsByte() & low | (bits << 2).AsByte() & high;
        Vector256<byte> w2 = (q0 >> 4).AsByte() & low | bits.AsByte() & high;
        Vector256<byte> w3 = (q1 >> 4).AsByte() & low | (bits >> 2).AsByte() & high;
        return Products.Scaled(w0, Vector256.LoadUnsafe(in x, start), Products.Repeat(scales, run * 4))
            + Products.Scaled(w1, Vector256.LoadUnsafe(in x, start + 32), Products.Repeat(scales, run * 4 + 1))
            + Products.Scaled(w2, Vector256.LoadUnsafe(in x, start + 64), Products.Repeat(scales, run * 4 + 2))
            + Products.Scaled(w3, Vector256.LoadUnsafe(in x, start + 96), Products.Repeat(scales, run * 4 + 3));
    }
}
