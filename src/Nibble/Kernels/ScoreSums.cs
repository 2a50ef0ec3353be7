namespace Nibble.Kernels;

/// <summary>
/// Sums over the scores that a model gives to every token of its vocabulary, from which probabilities come: p(i) = e^x(i) / Σ e^x.
/// Registers add up at most <see cref="Block"/> scores each before they are emptied into double precision, so that the
/// length of the vocabulary costs no digits. Scores that are no finite numbers make the sums none either.
/// </summary>
internal static unsafe class ScoreSums
{
    /// <summary>Scores added in single precision.</summary>
    private const int Block = 1024;

    /// <summary>Σ e^(x - highest), which is 1 or more where <paramref name="highest"/> is the highest of <paramref name="scores"/>.</summary>
    public static double Exponentials(ReadOnlySpan<float> scores, float highest)
    {
        fixed (float* x = scores)
            return InstructionSets.HasAvx512 ? Exponentials<Float16>(x, scores.Length, highest)
                : InstructionSets.HasNeon ? Exponentials<Float4>(x, scores.Length, highest)
                : Exponentials<Float8>(x, scores.Length, highest);
    }

    /// <summary>Both models' sums of exponentials, and Σ e^(b - highest b) · ((b - highest b) - (v - highest v)), of which the divergence of v from b is made.</summary>
    public static PairSums Pair(ReadOnlySpan<float> b, float highestB, ReadOnlySpan<float> v, float highestV)
    {
        v = v[..b.Length];
        fixed (float* x = b, y = v)
            return InstructionSets.HasAvx512 ? Pair<Float16>(x, highestB, y, highestV, b.Length)
                : InstructionSets.HasNeon ? Pair<Float4>(x, highestB, y, highestV, b.Length)
                : Pair<Float8>(x, highestB, y, highestV, b.Length);
    }

    private static double Exponentials<TVector>(float* x, int count, float highest) where TVector : unmanaged, IFloatVector<TVector>
    {
        TVector top = TVector.Broadcast(highest);
        double sum = 0;
        int i = 0;
        while (i <= count - TVector.Count)
        {
            int end = Math.Min(i + Block, count - TVector.Count + 1);
            TVector part = TVector.Broadcast(0);
            for (; i < end; i += TVector.Count) part += Exponential.OfNonPositive(TVector.Load(x + i) - top);
            sum += part.Sum();
        }
        for (; i < count; i++) sum += MathF.Exp(x[i] - highest);
        return sum;
    }

    private static PairSums Pair<TVector>(float* b, float highestB, float* v, float highestV, int count) where TVector : unmanaged, IFloatVector<TVector>
    {
        TVector topB = TVector.Broadcast(highestB), topV = TVector.Broadcast(highestV);
        PairSums sums = default;
        int i = 0;
        while (i <= count - TVector.Count)
        {
            int end = Math.Min(i + Block, count - TVector.Count + 1);
            TVector ofB = TVector.Broadcast(0), ofV = ofB, weighted = ofB;
            for (; i < end; i += TVector.Count)
            {
                TVector x = TVector.Load(b + i) - topB, y = TVector.Load(v + i) - topV, e = Exponential.OfNonPositive(x);
                ofB += e;
                ofV += Exponential.OfNonPositive(y);
                weighted = TVector.MultiplyAdd(e, x - y, weighted);
            }
            sums = new(sums.OfB + ofB.Sum(), sums.OfV + ofV.Sum(), sums.Weighted + weighted.Sum());
        }
        for (; i < count; i++)
        {
            float x = b[i] - highestB, y = v[i] - highestV, e = MathF.Exp(x);
            sums = new(sums.OfB + e, sums.OfV + MathF.Exp(y), sums.Weighted + e * (x - y));
        }
        return sums;
    }
}

/// <summary>See <see cref="ScoreSums.Pair"/>.</summary>
internal readonly record struct PairSums(double OfB, double OfV, double Weighted)
{
    /// <summary>The Kullback-Leibler divergence Σ p(b) · (ln p(b) - ln p(v)), in nats; never negative but for rounding, which is cut off.</summary>
    public double Divergence => Math.Max(0, Weighted / OfB - Math.Log(OfB) + Math.Log(OfV));
}
