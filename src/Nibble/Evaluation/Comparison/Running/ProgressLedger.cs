using System.Diagnostics;

namespace Nibble.Evaluation.Comparison.Running;

/// <summary>What a comparison spends its time on.</summary>
internal enum Work
{
    Hashing,
    CollectingImportance,
    Quantizing,
    ComparingTensors,
    Reading,
    RecordingText,
    DoingTasks,
    MeasuringSpeed,
    WritingCards,
}

/// <summary>
/// Adds up the progress of all stages, each of which was announced with the seconds that it takes on a usual machine. How this machine differs from
/// that is learned as it works, kind by kind; what it has not done yet is taken to differ as the rest does.
/// </summary>
internal sealed class ProgressLedger(IProgress<ComparisonProgress>? target, IReadOnlyList<string> names)
{
    /// <summary>Seconds of work after which what this machine showed weighs as much as what was announced: for all kinds, and for one.</summary>
    private const double TrustAll = 2, TrustKind = 0.5;

    private readonly ComparisonRow[] _rows = [.. names.Select(name => new ComparisonRow(name))];
    private readonly Sums[] _kinds = new Sums[Enum.GetValues<Work>().Length];
    private Work _current;
    private double _announced, _fraction, _before;
    private long? _begin;
    private string _text = "";

    /// <summary>The row of the base.</summary>
    public const int Base = 0;

    /// <summary>Announces work.</summary>
    /// <param name="kind">What is going to be done.</param>
    /// <param name="seconds">How long it takes on a usual machine.</param>
    public void Expect(Work kind, double seconds) => _kinds[(int)kind].Expected += seconds;

    /// <summary>Notes that announced work was done by an earlier run: it counts as done, and tells nothing of this machine.</summary>
    public void Skip(Work kind, double seconds)
    {
        _kinds[(int)kind].Kept += seconds;
        Report();
    }

    /// <summary>Begins announced work.</summary>
    /// <param name="kind">What is done.</param>
    /// <param name="seconds">What was announced for it.</param>
    /// <param name="text">What is at work.</param>
    public void Begin(Work kind, double seconds, string text)
    {
        (_current, _announced, _fraction, _begin, _text) = (kind, seconds, 0, Stopwatch.GetTimestamp(), text);
        Report();
    }

    /// <summary>Shows how far the work at hand is.</summary>
    /// <param name="fraction">From 0 to 1.</param>
    /// <param name="text">What is at work.</param>
    public void Advance(double fraction, string text)
    {
        (_fraction, _text) = (Math.Clamp(fraction, 0, 1), text);
        Report();
    }

    /// <summary>Notes that the work at hand is done.</summary>
    public void Finish()
    {
        ref Sums kind = ref _kinds[(int)_current];
        kind.Done += _announced;
        kind.Spent += Elapsed;
        _begin = null;
        Report();
    }

    /// <summary>Changes what is known of a model.</summary>
    public void Change(int row, Func<ComparisonRow, ComparisonRow> change)
    {
        _rows[row] = change(_rows[row]);
        Report();
    }

    private double Elapsed => _begin is { } begin ? Stopwatch.GetElapsedTime(begin).TotalSeconds : 0;

    /// <summary>A kind of work with that at hand counted as far as it is.</summary>
    private Sums Of(Work kind)
    {
        Sums sums = _kinds[(int)kind];
        if (_begin is null || kind != _current) return sums;
        // As long as it tells nothing, it is taken to go as announced.
        double elapsed = Elapsed, done = _fraction > 0 ? _announced * _fraction : Math.Min(elapsed, 0.9 * _announced);
        return sums with { Done = sums.Done + done, Spent = sums.Spent + elapsed };
    }

    private void Report()
    {
        if (target is null) return;
        Sums[] kinds = [.. Enum.GetValues<Work>().Select(Of)];
        // How fast a file is read, which may lie on any disk, tells nothing of how fast this machine computes.
        Sums[] computing = [.. kinds.Where((_, kind) => (Work)kind is not (Work.Hashing or Work.WritingCards))];
        double expected = kinds.Sum(k => k.Expected), all = (computing.Sum(k => k.Spent) + TrustAll) / (computing.Sum(k => k.Done) + TrustAll);
        double left = kinds.Sum(k => Math.Max(0, k.Expected - k.Kept - k.Done) * (k.Spent + all * TrustKind) / (k.Done + TrustKind));
        // What is skipped late, or takes another share than was announced, never takes progress back.
        _before = Math.Max(_before, expected > 0 ? Math.Clamp(kinds.Sum(k => k.Kept + k.Done) / expected, 0, 1) : 0);
        target.Report(new(_before, TimeSpan.FromSeconds(left), _text, [.. _rows]));
    }

    /// <summary>Seconds of one kind of work: announced, done by an earlier run, done, and what the latter took.</summary>
    private record struct Sums(double Expected, double Kept, double Done, double Spent);
}
