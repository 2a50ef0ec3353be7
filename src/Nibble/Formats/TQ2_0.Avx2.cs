using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Formats;

public partial struct TQ2_0 : IAvx2Step<TQ2_0, Q8_K>
{
    internal static float DotAvx2(ReadOnlySpan<TQ2_0> weights, ReadOnlySpan<Q8_K> activations) => Avx2Loop.Dot(weights, activations);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> IAvx2Step<TQ2_0, Q8_K>.Step(in TQ2_0 w, in Q8_K x, Vector256<float> total)
    {
        ref readonly byte quants = ref w.Quants[0];
        ref readonly sbyte values = ref x.Quants[0];
        // Sixteen sums of 16 products, each at most 3 * 127; less the sums of the activations, for the quants are 1 too large.
        Vector256<short> sums = RunAvx2(in quants, in values, 0) + RunAvx2(in quants, in values, 1) - Vector256.LoadUnsafe(in x.Sums[0]);
        Vector256<int> products = Avx2.MultiplyAddAdjacent(sums, Vector256<short>.One);
        return Products.AddScaled(total, HalfScale.ToSingle(w.Scale) * x.Scale, products);
    }

    /// <summary>Of 128 weights, inlined so that <paramref name="run"/> is a constant.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> RunAvx2(ref readonly byte quants, ref readonly sbyte x, int run)
    {
        Vector256<byte> low = Vector256.Create((byte)3);
        nuint start = (nuint)(run * 128);
        Vector256<ushort> bits = Vector256.LoadUnsafe(in quants, start / 4).AsUInt16();
        return Avx2.MultiplyAddAdjacent(bits.AsByte() & low, Vector256.LoadUnsafe(in x, start))
            + Avx2.MultiplyAddAdjacent((bits >> 2).AsByte() & low, Vector256.LoadUnsafe(in x, start + 32))
            + Avx2.MultiplyAddAdjacent((bits >> 4).AsByte() & low, Vector256.LoadUnsafe(in x, start + 64))
            + Avx2.MultiplyAddAdjacent((bits >> 6).AsByte() & low, Vector256.LoadUnsafe(in x, start + 96));
    }

    [SkipLocalsInit]
    internal static void QuantizeAvx2(ReadOnlySpan<float> source, Span<TQ2_0> blocks)
    {
        Span<byte> trits = stackalloc byte[256];
        for (int b = 0; b < blocks.Length; b++)
        {
            blocks[b].Scale = (Half)Trits.RoundAvx2(source.Slice(b * 256, 256), trits);
            TwoBits.Pack(trits, shift: 0, blocks[b].Quants);
        }
    }
}
