using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
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
            (double scalar, double vector) = format.Accept(new Visitor(format));
            double bytes = format.ByteSize((long)Rows * Columns);
            Report.Row(format.Name, Report.Number(bytes / scalar / 1e9, 2), Report.Number(bytes / vector / 1e9, 2),
                Report.Number(scalar / vector, 1), Report.Number(Rows * Columns / vector / 1e9, 1));
        }
    }

    private delegate float DotProduct<TWeight, TActivation>(ReadOnlySpan<TWeight> weights, ReadOnlySpan<TActivation> activations);

    private delegate float DotProduct<TWeight, TActivation, TTail>(ReadOnlySpan<TWeight> weights, ReadOnlySpan<TActivation> activations, in TTail tail);

    /// <summary>Seconds for all rows, scalar and as the format chooses on this machine.</summary>
    private sealed class Visitor(WeightFormat format) : IWeightVisitor<(double Scalar, double Vector)>
    {
        public (double Scalar, double Vector) Visit<TWeight, TActivation, TTail>()
            where TWeight : unmanaged, ITensorBlock<TWeight, TActivation, TTail>
            where TActivation : unmanaged, IBlock<TActivation>
            where TTail : unmanaged
        {
            Random random = new(1);
            float[] values = new float[Rows * Columns], importance = new float[Columns];
            for (int i = 0; i < values.Length; i++) values[i] = (random.NextSingle() + random.NextSingle() + random.NextSingle() - 1.5f) * 0.05f;
            Array.Fill(importance, 1);
            byte[] stored = new byte[format.TensorBytes(values.Length)];
            format.Quantize(values, format.NeedsImportance ? importance : [], stored);
            TWeight[] weights = MemoryMarshal.Cast<byte, TWeight>(stored.AsSpan(0, stored.Length - format.TailBytes)).ToArray();
            TTail tail = format.TailBytes == 0 ? default : MemoryMarshal.Read<TTail>(stored.AsSpan(stored.Length - format.TailBytes));
            TActivation[] activations = new TActivation[Columns / TActivation.BlockSize];
            TActivation.Quantize(values.AsSpan(0, Columns), activations);

            MethodInfo method = typeof(TWeight).GetMethod("DotScalar", BindingFlags.Static | BindingFlags.NonPublic)!;
            DotProduct<TWeight, TActivation, TTail> scalar = typeof(TTail) == typeof(NoTail)
                ? Tailed(method.CreateDelegate<DotProduct<TWeight, TActivation>>())
                : method.CreateDelegate<DotProduct<TWeight, TActivation, TTail>>();
            return (Measure.Best(() => All(scalar, weights, activations, tail)), Measure.Best(() => All(TWeight.Dot, weights, activations, tail)));

            static DotProduct<TWeight, TActivation, TTail> Tailed(DotProduct<TWeight, TActivation> dot) =>
                (ReadOnlySpan<TWeight> w, ReadOnlySpan<TActivation> x, in TTail _) => dot(w, x);
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        private static float All<TWeight, TActivation, TTail>(DotProduct<TWeight, TActivation, TTail> dot, TWeight[] weights, TActivation[] activations, TTail tail)
        {
            int blocks = weights.Length / Rows;
            float sum = 0;
            for (int row = 0; row < Rows; row++) sum += dot(weights.AsSpan(row * blocks, blocks), activations, in tail);
            return sum;
        }
    }
}
