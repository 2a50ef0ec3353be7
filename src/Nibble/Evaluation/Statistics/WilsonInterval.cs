namespace Nibble.Evaluation.Statistics;

/// <summary>The interval of a share that was counted, which also holds near 0 and 1 (Wilson, JASA 22, 1927).</summary>
public static class WilsonInterval
{
    /// <summary>The normal distribution's quantile for 95 % in the middle.</summary>
    private const double Z = 1.959963984540054;

    /// <summary>The bounds, with 95 % confidence, of a share of which <paramref name="count"/> in <paramref name="total"/> were seen.</summary>
    public static (double Lower, double Upper) Of(long count, long total)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(total);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, total);
        double share = (double)count / total, spread = Z * Z / total;
        double middle = (share + spread / 2) / (1 + spread), half = Z / (1 + spread) * Math.Sqrt(share * (1 - share) / total + spread / (4 * total));
        return (count == 0 ? 0 : middle - half, count == total ? 1 : middle + half);
    }
}
