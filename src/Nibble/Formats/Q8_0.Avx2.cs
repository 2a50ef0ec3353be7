using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Formats;

public partial struct Q8_0 : IAvx2Step<Q8_0, Q8_0>
{
    internal static float DotAvx2(ReadOnlySpan<Q8_0> weights, ReadOnlySpan<Q8_0> activations) => Avx2Loop.DotByTwo(weights, activations);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> IAvx2Step<Q8_0, Q8_0>.Step(in Q8_0 w, in Q8_0 x, Vector256<float> total)
    {
        Vector256<int> sums = Products.SignedSigned(Vector256.LoadUnsafe(in w.Quants[0]), Vector256.LoadUnsafe(in x.Quants[0]));
        return Products.AddScaled(total, HalfScale.ToSingle(w.Scale) * HalfScale.ToSingle(x.Scale), sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void QuantizeAvx2(ReadOnlySpan<float> source, Span<Q8_0> blocks)
    {
        for (int block = 0; block < blocks.Length; block++)
        {
            ref readonly float x = ref source.Slice(block * 32, 32)[0];
            Vector256<float> a = Vector256.LoadUnsafe(in x), b = Vector256.LoadUnsafe(in x, 8), c = Vector256.LoadUnsafe(in x, 16), d = Vector256.LoadUnsafe(in x, 24);
            // VMAXPS gives its second operand where one is NaN.
            Vector256<float> magnitudes = Avx.Max(Vector256.Abs(a), Vector256<float>.Zero);
            magnitudes = Avx.Max(Vector256.Abs(b), magnitudes);
            magnitudes = Avx.Max(Vector256.Abs(c), magnitudes);
            magnitudes = Avx.Max(Vector256.Abs(d), magnitudes);
            float scale = FloatLanes.Max(magnitudes) / 127;
            float inverse = scale != 0 ? 1 / scale : 0;
            Vector256<sbyte> quants = FloatLanes.Round32(a, b, c, d, inverse);
            quants.StoreUnsafe(ref blocks[block].Quants[0]);
            blocks[block].Scale = (Half)scale;
        }
    }
}
