using System.Numerics.Tensors;
using Nibble.Kernels;

namespace Nibble.Evaluation.Divergence;

/// <summary>
/// Compares the scores of a variant with what a file kept of its base. The divergence has three parts: that of the kept tokens one by one, that
/// of the rest as a whole, and that within the rest, which is estimated from the sample. The first two together are never more than the
/// divergence, since telling fewer tokens apart can only lessen it. For each drawn token, the third takes r - 1 - ln r, where r is the ratio of the
/// variant's share of the rest to the base's: its mean over all draws is the divergence, it is never negative, and it varies far less than
/// the logarithm alone (Schulman 2020, http://joschu.net/blog/kl-approx.html).
/// </summary>
internal sealed class BaseComparison(BaseFile file) : ITokenComparison
{
    /// <summary>A rest of less than this adds nothing that rounding would not.</summary>
    private const double LeastRest = 1e-7;

    private double[] _variances = [];
    private double _variance;
    private long _count;

    /// <summary>Standard error of the mean divergence that comes from the sample.</summary>
    public double SamplingError => _count == 0 ? 0 : Math.Sqrt(_variance) / _count;

    public unsafe void Compare(IReadOnlyList<Activations> scores, int* next, TokenDivergence* results, int count, long position, WorkerPool pool)
    {
        if (_variances.Length < count) _variances = new double[count];
        fixed (double* variances = _variances)
            pool.Run(new Work(file, scores[0].Pointer, next, results, variances, position), count);
        foreach (double variance in _variances.AsSpan(0, count)) _variance += variance;
        _count += count;
    }

    public int Damaged(in TokenDivergence token) => 0;

    /// <summary>p ln(p / q) - p + q: never negative, and small rounding of p makes a smaller difference than in p ln(p / q). Over whole distributions p and q cancel.</summary>
    private static double Part(double p, double logP, double q, double logQ) => p * (logP - logQ) - p + q;

    private static TokenDivergence Compare(BaseRecord record, BaseHeader header, ReadOnlySpan<float> scores, int token, out double variance)
    {
        float highest = TensorPrimitives.Max(scores);
        double logarithm = highest + Math.Log(ScoreSums.Exponentials(scores, highest)), sum = 0, rest = 1;
        for (int i = 0; i < header.Top; i++)
        {
            double logP = record.Logarithm(i), logQ = scores[record.Id(i)] - logarithm, q = Math.Exp(logQ);
            sum += Part(Math.Exp(logP), logP, q, logQ);
            rest -= q;
        }
        variance = 0;
        double restOfBase = record.Rest, logRest = Math.Log(Math.Max(rest, LeastRest));
        if (restOfBase < LeastRest)
        {
            sum += Math.Max(0, rest) - restOfBase;
        }
        else
        {
            sum += Part(restOfBase, Math.Log(restOfBase), rest, logRest);
            PairStatistics within = default;
            for (int i = header.Top; i < header.Kept; i++)
            {
                double logRatio = scores[record.Id(i)] - logarithm - logRest - (record.Logarithm(i) - Math.Log(restOfBase));
                within.Add(restOfBase * (Math.Exp(logRatio) - 1 - logRatio), 0);
            }
            if (header.Sampled > 0) (sum, variance) = (sum + within.X.Value, within.X.Error * within.X.Error);
        }
        return new(token, record.Id(0), scores.IndexOf(highest), record.TokenLogarithm, scores[token] - logarithm, Math.Max(0, sum));
    }

    private readonly unsafe struct Work(BaseFile file, float* scores, int* next, TokenDivergence* results, double* variances, long position) : IWork
    {
        public void Run(int start, int end)
        {
            int vocabulary = file.Header.Vocabulary;
            for (int i = start; i < end; i++)
                results[i] = Compare(file.Record(position + i), file.Header, new ReadOnlySpan<float>(scores + (long)i * vocabulary, vocabulary), next[i], out variances[i]);
        }
    }
}
