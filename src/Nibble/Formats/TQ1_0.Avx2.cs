using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Formats;

public partial struct TQ1_0 : IAvx2Step<TQ1_0, Q8_K>
{
    internal static float DotAvx2(ReadOnlySpan<TQ1_0> weights, ReadOnlySpan<Q8_K> activations) => Avx2Loop.Dot(weights, activations);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> IAvx2Step<TQ1_0, Q8_K>.Step(in TQ1_0 w, in Q8_K x, Vector256<float> total)
    {
        ref readonly sbyte values = ref x.Quants[0];
        // Digit by digit: three times the fraction is the digit and the fraction of the digits after it. Weights 0 … 159.
        Vector256<byte> b0 = Vector256.LoadUnsafe(in w.Quants[0]), b1 = TimesThree(b0), b2 = TimesThree(b1), b3 = TimesThree(b2), b4 = TimesThree(b3);
        Vector256<short> sums = Avx2.MultiplyAddAdjacent(FirstDigits(b0), Vector256.LoadUnsafe(in values))
            + Avx2.MultiplyAddAdjacent(FirstDigits(b1), Vector256.LoadUnsafe(in values, 32))
            + Avx2.MultiplyAddAdjacent(FirstDigits(b2), Vector256.LoadUnsafe(in values, 64))
            + Avx2.MultiplyAddAdjacent(FirstDigits(b3), Vector256.LoadUnsafe(in values, 96))
            + Avx2.MultiplyAddAdjacent(FirstDigits(b4), Vector256.LoadUnsafe(in values, 128));
        // Weights 160 … 239 are five digits of 16 bytes, 240 … 255 four of 4 bytes: the fifth with those makes a vector.
        Vector128<byte> c0 = Vector128.LoadUnsafe(in w.Quants[32]), c1 = TimesThree(c0), c2 = TimesThree(c1), c3 = TimesThree(c2), c4 = TimesThree(c3);
        Vector128<byte> d = w.UnpackRest();
        sums += Avx2.MultiplyAddAdjacent(FirstDigits(Vector256.Create(c0, c1)), Vector256.LoadUnsafe(in values, 160))
            + Avx2.MultiplyAddAdjacent(FirstDigits(Vector256.Create(c2, c3)), Vector256.LoadUnsafe(in values, 192))
            + Avx2.MultiplyAddAdjacent(FirstDigits(Vector256.Create(c4, d)), Vector256.LoadUnsafe(in values, 224));
        // The trits are 1 too large. Sixteen sums of 16 products of at most 2 * 127 stay within 16 bits.
        Vector256<int> products = Avx2.MultiplyAddAdjacent(sums - Vector256.LoadUnsafe(in x.Sums[0]), Vector256<short>.One);
        return Products.AddScaled(total, HalfScale.ToSingle(w.Scale) * x.Scale, products);
    }

    [SkipLocalsInit]
    internal static void QuantizeAvx2(ReadOnlySpan<float> source, Span<TQ1_0> blocks)
    {
        Span<byte> trits = stackalloc byte[256];
        for (int b = 0; b < blocks.Length; b++)
        {
            ref TQ1_0 block = ref blocks[b];
            block.Scale = (Half)Trits.RoundAvx2(source.Slice(b * 256, 256), trits);
            Trits.PackAvx2(trits).StoreUnsafe(ref block.Quants[0]);
            Trits.PackHalfAvx2(trits[160..]).StoreUnsafe(ref block.Quants[32]);
            for (int j = 0; j < 4; j++) block.Rest[j] = Trits.Pack(trits, first: 240 + j, stride: 4, count: 4);
        }
    }
}
