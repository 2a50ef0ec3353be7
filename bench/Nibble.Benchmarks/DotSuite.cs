using System.Reflection;
using System.Runtime.CompilerServices;
using Nibble.Formats;

namespace Nibble.Benchmarks;

/// <summary>
/// The dot product of every format: bytes of weights, and weights, per second on one thread. 16 rows of 4,096 weights are multiplied with
/// one row of activations, as a matrix product does; they stay in the caches, so this is the speed of computing, not of memory.
/// </summary>
internal static class DotSuite
{
    private const int Rows = 16, Columns = 4096;

    public static void Run()
    {
        Report.Start("dot", "format", "scalar GB/s", "vector GB/s", "ratio", "vector, 10^9 weights/s");
        foreach (WeightFormat format in WeightFormat.All.OrderBy(f => f.BitsPerWeight))
        {
            (double scalar, double vector) = format.Accept(new Visitor());
            double bytes = format.ByteSize((long)Rows * Columns);
            Report.Row(format.Name, Report.Number(bytes / scalar / 1e9, 2), Report.Number(bytes / vector / 1e9, 2),
                Report.Number(scalar / vector, 1), Report.Number(Rows * Columns / vector / 1e9, 1));
        }
    }

    private delegate float DotProduct<TWeight, TActivation>(ReadOnlySpan<TWeight> weights, ReadOnlySpan<TActivation> activations);

    /// <summary>Seconds for all rows, scalar and as the format chooses on this machine.</summary>
    private sealed class Visitor : IWeightVisitor<(double Scalar, double Vector)>
    {
        public (double Scalar, double Vector) Visit<TWeight, TActivation>()
            where TWeight : unmanaged, IWeightBlock<TWeight, TActivation>
            where TActivation : unmanaged, IBlock<TActivation>
        {
            Random random = new(1);
            float[] values = new float[Rows * Columns];
            for (int i = 0; i < values.Length; i++) values[i] = (random.NextSingle() + random.NextSingle() + random.NextSingle() - 1.5f) * 0.05f;
            float[] importance = new float[values.Length];
            Array.Fill(importance, 1); // some formats cannot do without
            TWeight[] weights = new TWeight[values.Length / TWeight.BlockSize];
            TWeight.Quantize(values, importance, weights);
            TActivation[] activations = new TActivation[Columns / TActivation.BlockSize];
            TActivation.Quantize(values.AsSpan(0, Columns), activations);

            DotProduct<TWeight, TActivation> scalar = typeof(TWeight).GetMethod("DotScalar", BindingFlags.Static | BindingFlags.NonPublic)!
                .CreateDelegate<DotProduct<TWeight, TActivation>>();
            return (Measure.Best(() => All(scalar, weights, activations)), Measure.Best(() => All(TWeight.Dot, weights, activations)));
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        private static float All<TWeight, TActivation>(DotProduct<TWeight, TActivation> dot, TWeight[] weights, TActivation[] activations)
        {
            int blocks = weights.Length / Rows;
            float sum = 0;
            for (int row = 0; row < Rows; row++) sum += dot(weights.AsSpan(row * blocks, blocks), activations);
            return sum;
        }
    }
}
