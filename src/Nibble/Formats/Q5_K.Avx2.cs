using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Formats;

public partial struct Q5_K : IAvx2Step<Q5_K, Q8_K>
{
    internal static float DotAvx2(ReadOnlySpan<Q5_K> weights, ReadOnlySpan<Q8_K> activations) => Avx2Loop.Dot(weights, activations);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> IAvx2Step<Q5_K, Q8_K>.Step(in Q5_K w, in Q8_K x, Vector256<float> total)
    {
        Vector256<short> groups = Avx2.ConvertToVector256Int16(w.Groups.Unpack());
        Vector256<short> scales = Vector256.Create(groups.GetLower(), groups.GetLower());
        Vector256<ushort> fifths = Vector256.LoadUnsafe(in w.FifthBits[0]).AsUInt16();
        ref readonly byte quants = ref w.Quants[0];
        ref readonly sbyte values = ref x.Quants[0];
        Vector256<int> products = RunAvx2(in quants, in values, scales, fifths, 0) + RunAvx2(in quants, in values, scales, fifths >> 2, 1)
            + RunAvx2(in quants, in values, scales, fifths >> 4, 2) + RunAvx2(in quants, in values, scales, fifths >> 6, 3);
        Vector256<int> minimums = x.TimesPairsOfSums(groups.GetUpper());
        total = Products.AddScaled(total, -HalfScale.ToSingle(w.Minimum) * x.Scale, minimums);
        return Products.AddScaled(total, HalfScale.ToSingle(w.Scale) * x.Scale, products);
    }

    /// <summary>
    /// Of 64 weights, inlined so that <paramref name="run"/> is a constant. Bits 1-0 of each byte of <paramref name="fifths"/>
    /// are those of this run's two groups.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> RunAvx2(ref readonly byte quants, ref readonly sbyte x, Vector256<short> scales, Vector256<ushort> fifths, int run)
    {
        Vector256<byte> low = Vector256.Create((byte)15), fifth = Vector256.Create((byte)16);
        Vector256<byte> packed = Vector256.LoadUnsafe(in quants, (nuint)(run * 32));
        Vector256<sbyte> x0 = Vector256.LoadUnsafe(in x, (nuint)(run * 64)), x1 = Vector256.LoadUnsafe(in x, (nuint)(run * 64 + 32));
        Vector256<byte> w0 = packed & low | (fifths << 4).AsByte() & fifth;
        Vector256<byte> w1 = (packed.AsUInt16() >> 4).AsByte() & low | (fifths << 3).AsByte() & fifth;
        return Products.Scaled(w0, x0, Products.Repeat(scales, run * 2)) + Products.Scaled(w1, x1, Products.Repeat(scales, run * 2 + 1));
    }
}
