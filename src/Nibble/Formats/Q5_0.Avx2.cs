using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct Q5_0 : IAvx2Step<Q5_0, Q8_0>
{
    internal static float DotAvx2(ReadOnlySpan<Q5_0> weights, ReadOnlySpan<Q8_0> activations) => Avx2Loop.DotByTwo(weights, activations);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> IAvx2Step<Q5_0, Q8_0>.Step(in Q5_0 w, in Q8_0 x, Vector256<float> total)
    {
        Vector256<int> sums = Products.SignedSigned(w.UnpackNumbers(), Vector256.LoadUnsafe(in x.Quants[0]));
        return Products.AddScaled(total, HalfScale.ToSingle(w.Scale) * HalfScale.ToSingle(x.Scale), sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void QuantizeAvx2(ReadOnlySpan<float> source, Span<Q5_0> blocks)
    {
        Span<byte> values = stackalloc byte[32];
        for (int block = 0; block < blocks.Length; block++)
        {
            ref readonly float x = ref source.Slice(block * 32, 32)[0];
            Vector256<float> a = Vector256.LoadUnsafe(in x), b = Vector256.LoadUnsafe(in x, 8), c = Vector256.LoadUnsafe(in x, 16), d = Vector256.LoadUnsafe(in x, 24);
            float scale = FloatLanes.Extreme(a, b, c, d) / -16;
            Vector256<float> inverse = Vector256.Create(scale != 0 ? 1 / scale : 0), offset = Vector256.Create(16.5f);
            Vector256<sbyte> quants = FloatLanes.Truncate(a * inverse + offset, b * inverse + offset, c * inverse + offset, d * inverse + offset);
            quants = Vector256.Min(quants, Vector256.Create((sbyte)31));
            quants.AsByte().StoreUnsafe(ref values[0]);
            blocks[block].Store((Half)scale, values);
        }
    }
}
