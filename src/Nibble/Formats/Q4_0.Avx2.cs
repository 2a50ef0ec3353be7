using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct Q4_0 : IAvx2Step<Q4_0, Q8_0>
{
    internal static float DotAvx2(ReadOnlySpan<Q4_0> weights, ReadOnlySpan<Q8_0> activations) => Avx2Loop.DotByTwo(weights, activations);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> IAvx2Step<Q4_0, Q8_0>.Step(in Q4_0 w, in Q8_0 x, Vector256<float> total)
    {
        Vector256<sbyte> weights = Nibbles.Unpack(in w.Quants).AsSByte() - Vector256.Create((sbyte)8);
        Vector256<int> sums = Products.SignedSigned(weights, Vector256.LoadUnsafe(in x.Quants[0]));
        return Products.AddScaled(total, HalfScale.ToSingle(w.Scale) * HalfScale.ToSingle(x.Scale), sums);
    }
}
