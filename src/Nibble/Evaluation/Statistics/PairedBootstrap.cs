namespace Nibble.Evaluation.Statistics;

/// <summary>
/// How far a difference between two models on the same items may be from chance: items are drawn again with replacement, each with both
/// models' values, and the middle of the differences so found is the interval (Efron 1979, percentile method).
/// </summary>
public static class PairedBootstrap
{
    /// <summary>Resamples; the ends of the interval then vary by about 1 % of its width.</summary>
    public const int UsualResamples = 10_000;

    /// <param name="first">The first model's value of each item.</param>
    /// <param name="second">The second model's value of each item.</param>
    /// <param name="measure">What is made of a mean, such as a perplexity; <see langword="null"/> for the mean itself.</param>
    /// <param name="seed">The same seed gives the same interval.</param>
    /// <param name="confidence">The share of the differences that the interval holds.</param>
    /// <param name="resamples">How often to draw.</param>
    /// <returns>The bounds of <c>measure(mean(second)) - measure(mean(first))</c>.</returns>
    public static (double Lower, double Upper) Interval(ReadOnlySpan<double> first, ReadOnlySpan<double> second, Func<double, double>? measure = null,
        int seed = 0, double confidence = 0.95, int resamples = UsualResamples)
    {
        if (first.Length != second.Length || first.IsEmpty) throw new ArgumentException($"{first.Length} and {second.Length} items cannot be paired", nameof(second));
        ArgumentOutOfRangeException.ThrowIfLessThan(resamples, 1);
        if (!(confidence is > 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(confidence), confidence, "must lie between 0 and 1");

        ulong state = (ulong)(uint)seed;
        double[] differences = new double[resamples];
        for (int r = 0; r < resamples; r++)
        {
            double firstSum = 0, secondSum = 0;
            for (int i = 0; i < first.Length; i++)
            {
                int item = Below(ref state, first.Length);
                firstSum += first[item];
                secondSum += second[item];
            }
            double firstMean = firstSum / first.Length, secondMean = secondSum / first.Length;
            differences[r] = measure is null ? secondMean - firstMean : measure(secondMean) - measure(firstMean);
        }
        Array.Sort(differences);
        return (Quantile(differences, (1 - confidence) / 2), Quantile(differences, (1 + confidence) / 2));
    }

    /// <summary>Linear between the neighbours in rank, as R's type 7 and NumPy do.</summary>
    private static double Quantile(double[] sorted, double share)
    {
        double rank = share * (sorted.Length - 1);
        int below = (int)rank, above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + (rank - below) * (sorted[above] - sorted[below]);
    }

    /// <summary>
    /// A number below <paramref name="count"/>, by SplitMix64 (Steele, Lea and Flood 2014) and multiplication; the framework's own generator may change with
    /// its version, and intervals are to be reproducible.
    /// </summary>
    private static int Below(ref ulong state, int count)
    {
        ulong z = state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return (int)Math.BigMul(z ^ (z >> 31), (ulong)count, out _);
    }
}
