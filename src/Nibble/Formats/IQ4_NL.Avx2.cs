using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct IQ4_NL : IAvx2Step<IQ4_NL, Q8_0>
{
    internal static float DotAvx2(ReadOnlySpan<IQ4_NL> weights, ReadOnlySpan<Q8_0> activations) => Avx2Loop.DotByTwo(weights, activations);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> IAvx2Step<IQ4_NL, Q8_0>.Step(in IQ4_NL w, in Q8_0 x, Vector256<float> total)
    {
        Vector256<int> sums = Products.SignedSigned(w.UnpackNumbers(), Vector256.LoadUnsafe(in x.Quants[0]));
        return Products.AddScaled(total, HalfScale.ToSingle(w.Scale) * HalfScale.ToSingle(x.Scale), sums);
    }
}
