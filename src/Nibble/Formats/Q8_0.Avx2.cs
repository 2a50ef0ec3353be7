using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Formats;

public partial struct Q8_0
{
    internal static float DotAvx2(ReadOnlySpan<Q8_0> weights, ReadOnlySpan<Q8_0> activations)
    {
        activations = activations[..weights.Length];
        Vector256<float> total = Vector256<float>.Zero;
        for (int b = 0; b < weights.Length; b++) total = StepAvx2(in weights[b], in activations[b], total);
        return Vector256.Sum(total);
    }

    private static Vector256<float> StepAvx2(in Q8_0 w, in Q8_0 x, Vector256<float> total)
    {
        Vector256<sbyte> weights = Vector256.LoadUnsafe(in w.Quants[0]), values = Vector256.LoadUnsafe(in x.Quants[0]);
        // VPMADDUBSW wants unsigned times signed: |w| * (x with the sign of w). At most 2 * 128 * 127 = 32,512 a pair: no saturation.
        Vector256<short> pairs = Avx2.MultiplyAddAdjacent(Avx2.Abs(weights), Avx2.Sign(values, weights));
        Vector256<int> products = Avx2.MultiplyAddAdjacent(pairs, Vector256<short>.One);
        return Vector256.MultiplyAddEstimate(Vector256.ConvertToSingle(products), Vector256.Create((float)w.Scale * (float)x.Scale), total);
    }
}
