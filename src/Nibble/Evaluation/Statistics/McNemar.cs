namespace Nibble.Evaluation.Statistics;

/// <summary>
/// McNemar's exact test: whether two models answer the same questions equally often right (McNemar, Psychometrika 12, 1947). Only the
/// items on which they differ tell anything; were the models equally good, each of those would fall to either side like a fair coin.
/// </summary>
public static class McNemar
{
    /// <summary>The two-sided p-value: the chance of a split at least as uneven, were both models equally good; at most 1.</summary>
    /// <param name="gained">Items that only the second model has right.</param>
    /// <param name="lost">Items that only the first model has right.</param>
    public static double PValue(int gained, int lost)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(gained);
        ArgumentOutOfRangeException.ThrowIfNegative(lost);
        int flips = checked(gained + lost), fewer = Math.Min(gained, lost);
        if (gained == lost) return 1;

        // P(X <= fewer) for X ~ Binomial(flips, 1/2). The largest term in logarithms, since 2^-flips leaves the range of doubles, and
        // the others as ratios to it: C(n, k - 1) / C(n, k) = k / (n - k + 1).
        double logLargest = -flips * Math.Log(2);
        for (int k = 1; k <= fewer; k++) logLargest += Math.Log((double)(flips - k + 1) / k);
        double sum = 1, ratio = 1;
        for (int k = fewer; k > 0; k--) sum += ratio *= (double)k / (flips - k + 1);
        return Math.Min(1, 2 * sum * Math.Exp(logLargest));
    }
}
