namespace Nibble.Evaluation.Comparison;

/// <summary>Finds the variants that are worth having: those that no other beats in size and in quality.</summary>
public static class ParetoFront
{
    /// <summary>
    /// Which of some variants are on the front: no other is at most as large and at most as far from the base, and better in one of the
    /// two. Distance is the mean KL divergence as measured; it tells variants apart that perplexity cannot.
    /// </summary>
    /// <param name="variants">Bytes and mean divergence of each; a divergence that is no number is never on the front.</param>
    /// <returns>One answer for each, in the same order.</returns>
    public static bool[] Find(IReadOnlyList<(long Bytes, double MeanKld)> variants)
    {
        ArgumentNullException.ThrowIfNull(variants);
        return [.. variants.Select(v => !double.IsNaN(v.MeanKld) && !variants.Any(other => Beats(other, v)))];
    }

    private static bool Beats((long Bytes, double MeanKld) one, (long Bytes, double MeanKld) other) =>
        one.Bytes <= other.Bytes && one.MeanKld <= other.MeanKld && (one.Bytes < other.Bytes || one.MeanKld < other.MeanKld);
}
