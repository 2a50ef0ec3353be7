namespace Nibble.Evaluation.Comparison.Running;

/// <summary>How far a comparison has come.</summary>
/// <param name="Fraction">Of the time that all of it takes, what an earlier run did included, from 0 to 1, about.</param>
/// <param name="Left">The time that the rest takes, about.</param>
/// <param name="Text">What is at work.</param>
/// <param name="Rows">One for the base and each variant.</param>
public sealed record ComparisonProgress(double Fraction, TimeSpan Left, string Text, IReadOnlyList<ComparisonRow> Rows);

/// <summary>What is known of one model so far.</summary>
/// <param name="Name">The base or a variant.</param>
public sealed record ComparisonRow(string Name)
{
    /// <summary>What is being done with it; empty while it waits or when it is done.</summary>
    public string State { get; init; } = "";

    /// <summary>Whether nothing is left to do.</summary>
    public bool IsDone { get; init; }

    /// <summary>Bytes of its files; <see langword="null"/> before they are there.</summary>
    public long? Bytes { get; init; }

    /// <summary>Perplexity divided by that of the base, over the windows read so far.</summary>
    public Estimate? PerplexityRatio { get; init; }

    /// <summary>Mean KL divergence so far.</summary>
    public Estimate? MeanKld { get; init; }

    /// <summary>Share of changed top choices so far.</summary>
    public Estimate? TopChanged { get; init; }

    /// <summary>Tokens per second when generating.</summary>
    public double? GeneratedPerSecond { get; init; }
}
