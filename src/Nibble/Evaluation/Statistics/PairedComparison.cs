namespace Nibble.Evaluation.Statistics;

/// <summary>A measure of two models on the same items, with what tells whether they differ.</summary>
/// <param name="Items">Items that both models were measured on.</param>
/// <param name="Base">The first model's value.</param>
/// <param name="Variant">The second model's value.</param>
/// <param name="Lower">The lower bound of the difference, with 95 % confidence.</param>
/// <param name="Upper">The upper bound of the difference, with 95 % confidence.</param>
/// <param name="Gained">Items that only the second model has right; <see langword="null"/> where items are not right or wrong.</param>
/// <param name="Lost">Items that only the first model has right.</param>
/// <param name="PValue">Of <see cref="McNemar"/>'s test.</param>
public sealed record PairedComparison(int Items, double Base, double Variant, double Lower, double Upper, int? Gained, int? Lost, double? PValue)
{
    private const double Confidence = 0.95;

    /// <summary>Items from which on values that all differ in one direction mean anything: equal models do so once in 2^(n - 1), of which 2^-5 is the first below 0.05.</summary>
    private const int FewestItems = 6;

    /// <summary>The second model's value less the first's.</summary>
    public double Difference => Variant - Base;

    /// <summary>
    /// Whether chance alone is an unlikely reason for the difference: zero lies outside the interval and, where items are right or wrong, p
    /// is below 0.05. An interval without width, or one of other values of fewer than 6 items, shows nothing.
    /// </summary>
    public bool IsDistinguishable => Lower < Upper && (Lower > 0 || Upper < 0) && (PValue is { } p ? p < 1 - Confidence : Items >= FewestItems);

    /// <summary>Compares two models by items that are right (1) or wrong (0).</summary>
    /// <param name="first">The first model's items.</param>
    /// <param name="second">The same items of the second model.</param>
    /// <param name="seed">The same seed gives the same interval.</param>
    public static PairedComparison OfAnswers(ReadOnlySpan<double> first, ReadOnlySpan<double> second, int seed = 0)
    {
        PairedComparison means = OfMeans(first, second, null, seed);
        int gained = 0, lost = 0;
        for (int i = 0; i < first.Length; i++)
        {
            if (second[i] > first[i]) gained++;
            if (second[i] < first[i]) lost++;
        }
        // Resampling items that are all alike finds no spread; what remains possible is the exact bound of a share that was never seen:
        // (1 - p)^n = 0.05. Where no item differs these may be gained or lost; where all fell to one side they may fall to the other.
        double unseen = 1 - Math.Pow(1 - Confidence, 1.0 / first.Length);
        if (gained + lost == 0) means = means with { Lower = -unseen, Upper = unseen };
        else if (lost == first.Length) means = means with { Lower = -1, Upper = 2 * unseen - 1 };
        else if (gained == first.Length) means = means with { Lower = 1 - 2 * unseen, Upper = 1 };
        return means with { Gained = gained, Lost = lost, PValue = McNemar.PValue(gained, lost) };
    }

    /// <summary>Compares two models by a measure of the mean over items.</summary>
    /// <param name="first">The first model's values.</param>
    /// <param name="second">The second model's values of the same items.</param>
    /// <param name="measure">What is made of a mean, such as a perplexity; <see langword="null"/> for the mean itself.</param>
    /// <param name="seed">The same seed gives the same interval.</param>
    public static PairedComparison OfMeans(ReadOnlySpan<double> first, ReadOnlySpan<double> second, Func<double, double>? measure, int seed = 0)
    {
        (double lower, double upper) = PairedBootstrap.Interval(first, second, measure, seed, Confidence);
        double firstMean = Mean(first), secondMean = Mean(second);
        return new(first.Length, measure?.Invoke(firstMean) ?? firstMean, measure?.Invoke(secondMean) ?? secondMean, lower, upper, null, null, null);
    }

    private static double Mean(ReadOnlySpan<double> values)
    {
        double sum = 0;
        foreach (double value in values) sum += value;
        return sum / values.Length;
    }
}
