using System.Globalization;
using Nibble.Evaluation.Tasks;
using Nibble.Models;

namespace Nibble.Evaluation.Cards;

/// <summary>What is about to be measured of a model, so that hours of work are not spent on what its file would not keep.</summary>
public sealed record PlannedMeasurement
{
    /// <summary>The text that is to be read; <see langword="null"/> where none is.</summary>
    public MeasuredText? Text { get; private init; }

    /// <summary>Whether the model is compared with its base on it.</summary>
    public bool HasDivergence { get; private init; }

    /// <summary>The questions that are to be asked, by task.</summary>
    public IReadOnlyDictionary<string, int> Tasks { get; private init; } = new Dictionary<string, int>();

    /// <summary>A model that reads a text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="options">How it is read.</param>
    /// <param name="hasDivergence">Whether the model is compared with its base.</param>
    /// <exception cref="NibbleException">The text is too short, or an option makes no sense.</exception>
    public static PlannedMeasurement Of(EvaluationText text, EvaluationOptions options, bool hasDivergence)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(options);
        IReadOnlyList<EvaluationWindow> windows = EvaluationWindow.Of(text.Tokens.Length, options, text.Name);
        return Of(new(text.Name, text.Sha256, options.ContextLength, options.Stride, windows.Count, windows.Sum(w => (long)w.Scored), (options.Cache ?? CacheOptions.Default).Description), hasDivergence);
    }

    /// <summary>The same, of a text whose windows are known.</summary>
    public static PlannedMeasurement Of(MeasuredText text, bool hasDivergence) => new() { Text = text, HasDivergence = hasDivergence };

    /// <summary>A model that is compared with a base that was saved.</summary>
    /// <param name="reference">What the base predicted.</param>
    /// <param name="cache">How the model's keys and values are stored; <see langword="null"/> for half precision.</param>
    public static PlannedMeasurement Of(Divergence.BaseHeader reference, CacheOptions? cache)
    {
        ArgumentNullException.ThrowIfNull(reference);
        return Of(new MeasuredText(reference.TextName, reference.TextSha256, reference.ContextLength, null, reference.Windows, reference.Records, (cache ?? CacheOptions.Default).Description), hasDivergence: true);
    }

    /// <summary>A model that is asked the questions of tasks.</summary>
    public static PlannedMeasurement Of(IReadOnlyList<EvaluationTask> tasks, Tasks.EvaluationOptions options)
    {
        ArgumentNullException.ThrowIfNull(tasks);
        ArgumentNullException.ThrowIfNull(options);
        Dictionary<string, int> items = tasks.ToDictionary(t => t.Name, t => Math.Min(t.Items.Count, options.Limit ?? int.MaxValue));
        // Of several tasks of a group, the group has a score too.
        foreach (IGrouping<string, EvaluationTask> group in tasks.Where(t => t.Group is not null).GroupBy(t => t.Group!).Where(g => g.Count() > 1))
            items[group.Key] = group.Sum(t => items[t.Name]);
        return new() { Tasks = items };
    }

    /// <summary>
    /// What a file's record has that is more than what is to take its place, and that, in words: a divergence where only a perplexity is to be
    /// measured, more tokens, more questions; <see langword="null"/> where nothing is lost. A perplexity of the very same text, read in the same way, stands
    /// beside a divergence and takes nothing away.
    /// </summary>
    public string? LostFrom(EvaluationRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (Text is not null && record.Text is { } kept && !kept.IsReadAs(Text))
        {
            string what = record.Divergence is not null ? "KL divergence" : "perplexity";
            if ((record.Divergence is not null && !HasDivergence) || kept.Tokens > Text.Tokens)
                return $"a {what} over {Described(kept)}; a {(HasDivergence ? "KL divergence" : "perplexity")} over {Described(Text)}";
        }
        foreach (TaskScore score in record.Tasks)
            if (Tasks.TryGetValue(score.Task, out int items) && items < score.Items)
                return Invariant($"the score of {score.Items:N0} questions of {score.Task}; one of {items:N0}");
        return null;
    }

    private static string Described(MeasuredText text) => Invariant($"{text.Tokens:N0} tokens of {text.Name} (windows of {text.ContextLength}{(text.Stride is { } n ? $", {n} apart" : "")}, cache {text.Cache})");

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
