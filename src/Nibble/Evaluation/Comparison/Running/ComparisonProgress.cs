namespace Nibble.Evaluation.Comparison.Running;

/// <summary>How far a comparison has come.</summary>
/// <param name="Fraction">Of the time that it takes, from 0 to 1, about.</param>
/// <param name="Text">What is at work.</param>
/// <param name="Rows">One for the base and each variant.</param>
public sealed record ComparisonProgress(double Fraction, string Text, IReadOnlyList<ComparisonRow> Rows);

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

/// <summary>Adds up the progress of all stages, each of which was announced with the time that it will take, about.</summary>
internal sealed class ProgressLedger(IProgress<ComparisonProgress>? target, IReadOnlyList<string> names)
{
    private readonly ComparisonRow[] _rows = [.. names.Select(name => new ComparisonRow(name))];
    private double _expected, _done, _running;
    private string _text = "";

    /// <summary>The row of the base.</summary>
    public const int Base = 0;

    /// <summary>Announces work that will take some seconds on any machine: only the proportions between stages matter.</summary>
    public void Expect(double seconds) => _expected += seconds;

    /// <summary>Takes back announced work that an earlier run did.</summary>
    public void Skip(double seconds)
    {
        _expected -= seconds;
        Report();
    }

    /// <summary>Notes that announced work is done.</summary>
    public void Finish(double seconds)
    {
        _done += seconds;
        _running = 0;
        Report();
    }

    /// <summary>Shows how far the work at hand is.</summary>
    /// <param name="seconds">What was announced for it.</param>
    /// <param name="fraction">From 0 to 1.</param>
    /// <param name="text">What is at work.</param>
    public void Work(double seconds, double fraction, string text)
    {
        _running = seconds * fraction;
        _text = text;
        Report();
    }

    /// <summary>Changes what is known of a model.</summary>
    public void Change(int row, Func<ComparisonRow, ComparisonRow> change)
    {
        _rows[row] = change(_rows[row]);
        Report();
    }

    private void Report() => target?.Report(new(_expected > 0 ? Math.Clamp((_done + _running) / _expected, 0, 1) : 0, _text, [.. _rows]));
}
