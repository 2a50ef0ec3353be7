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
}
