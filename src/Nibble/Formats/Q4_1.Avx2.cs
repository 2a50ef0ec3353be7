using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct Q4_1 : IAvx2Step<Q4_1, Q8_1>
{
    internal static float DotAvx2(ReadOnlySpan<Q4_1> weights, ReadOnlySpan<Q8_1> activations) => Avx2Loop.DotByTwo(weights, activations);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> IAvx2Step<Q4_1, Q8_1>.Step(in Q4_1 w, in Q8_1 x, Vector256<float> total)
    {
        Vector256<int> sums = Products.UnsignedSigned(Nibbles.Unpack(in w.Quants), Vector256.LoadUnsafe(in x.Quants[0]));
        Vector256<float> minimum = Vector256.CreateScalar(HalfScale.ToSingle(w.Minimum) * HalfScale.ToSingle(x.Sum));
        return total + Products.AddScaled(minimum, HalfScale.ToSingle(w.Scale) * HalfScale.ToSingle(x.Scale), sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void QuantizeAvx2(ReadOnlySpan<float> source, Span<Q4_1> blocks)
    {
        for (int block = 0; block < blocks.Length; block++)
        {
            ref readonly float x = ref source.Slice(block * 32, 32)[0];
            Vector256<float> a = Vector256.LoadUnsafe(in x), b = Vector256.LoadUnsafe(in x, 8), c = Vector256.LoadUnsafe(in x, 16), d = Vector256.LoadUnsafe(in x, 24);
            (float lowest, float highest) = FloatLanes.Range(a, b, c, d);
            if (lowest == 0 || highest == 0) (lowest, highest) = ScaleSearch.Range(source.Slice(block * 32, 32)); // the sign of the first zero counts
            float scale = (highest - lowest) / 15;
            Vector256<float> start = Vector256.Create(lowest), inverse = Vector256.Create(scale != 0 ? 1 / scale : 0), half = Vector256.Create(0.5f);
            Vector256<sbyte> quants = FloatLanes.Truncate((a - start) * inverse + half, (b - start) * inverse + half, (c - start) * inverse + half, (d - start) * inverse + half);
            quants = Vector256.Min(quants, Vector256.Create((sbyte)15));
            blocks[block].Scale = (Half)scale;
            blocks[block].Minimum = (Half)lowest;
            Nibbles.Pack(quants.AsByte(), ref blocks[block].Quants);
        }
    }
}
