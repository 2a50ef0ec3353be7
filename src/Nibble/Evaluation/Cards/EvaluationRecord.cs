using Nibble.Evaluation.Divergence;
using Nibble.Evaluation.Tasks;
using Nibble.Models;
using Nibble.Quantization.Recipes;

namespace Nibble.Evaluation.Cards;

/// <summary>The text that was measured on, and how it was read.</summary>
/// <param name="Name">The name of its file.</param>
/// <param name="Sha256">SHA-256 of its bytes.</param>
/// <param name="ContextLength">Tokens of a window.</param>
/// <param name="Stride">Tokens from one window to the next; <see langword="null"/> where windows do not overlap.</param>
/// <param name="Windows">Windows read.</param>
/// <param name="Tokens">Tokens scored.</param>
/// <param name="Cache">How keys and values were stored, see <see cref="Models.CacheOptions.Description"/>.</param>
public sealed record MeasuredText(string Name, string Sha256, int ContextLength, int? Stride, int Windows, long Tokens, string Cache)
{
    /// <summary>Whether the other is the same text, read in the same way, whatever its file is called.</summary>
    public bool IsReadAs(MeasuredText? other) => other is not null && this == other with { Name = Name };
}

/// <summary>The model that another was compared with.</summary>
/// <param name="Name">The name of its file or folder.</param>
/// <param name="Sha256">SHA-256 of the bytes of its files, one after the other.</param>
/// <param name="Cache">How its keys and values were stored, see <see cref="Models.CacheOptions.Description"/>.</param>
public sealed record MeasuredBase(string Name, string Sha256, string Cache);

/// <summary>How far a model is from its base, see <see cref="DivergenceResult"/>.</summary>
public sealed record MeasuredDivergence(Estimate BasePerplexity, Estimate Ratio, Estimate Mean, double Median, double P90, double P95, double P99, double P999, double Maximum, Estimate SameTop)
{
    /// <inheritdoc cref="DivergenceResult.Increase"/>
    public Estimate Increase => Ratio with { Value = Ratio.Value - 1 };
}

/// <summary>
/// What is known of a model's quality, as it stands in the metadata of its own file under <c>nibble.eval.*</c>: measurements, and all that
/// is needed to measure them again.
/// </summary>
public sealed partial record EvaluationRecord
{
    /// <summary>The version of Nibble that measured last.</summary>
    public string Version { get; init; } = RecipeFile.CurrentVersion;

    /// <summary>How the model is quantized, such as <c>Q4_K_M</c>.</summary>
    public string? Recipe { get; init; }

    /// <summary>The text of perplexity and divergence.</summary>
    public MeasuredText? Text { get; init; }

    public Estimate? Perplexity { get; init; }

    /// <summary>The model that <see cref="Divergence"/> is from.</summary>
    public MeasuredBase? Base { get; init; }

    public MeasuredDivergence? Divergence { get; init; }

    public IReadOnlyList<TaskScore> Tasks { get; init; } = [];

    /// <summary>A record of a perplexity.</summary>
    public static EvaluationRecord Of(PerplexityResult result, EvaluationText text, EvaluationOptions options)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(options);
        return new()
        {
            Text = new(text.Name, text.Sha256, result.ContextLength, options.Stride, result.Windows, result.Tokens, (options.Cache ?? CacheOptions.Default).Description),
            Perplexity = result.Estimate,
        };
    }

    /// <summary>A record of a divergence.</summary>
    /// <param name="result">What was measured.</param>
    /// <param name="textName">The name of the text.</param>
    /// <param name="textSha256">SHA-256 of the text.</param>
    /// <param name="reference">The base.</param>
    /// <param name="cache">How the model's keys and values were stored; <see langword="null"/> for half precision.</param>
    public static EvaluationRecord Of(DivergenceResult result, string textName, string textSha256, MeasuredBase reference, CacheOptions? cache)
    {
        ArgumentNullException.ThrowIfNull(result);
        Percentiles shares = result.Divergences;
        return new()
        {
            Text = new(textName, textSha256, result.ContextLength, null, result.Windows, result.Tokens.Count, (cache ?? CacheOptions.Default).Description),
            Perplexity = result.Perplexity.Estimate,
            Base = reference,
            Divergence = new(result.BasePerplexity.Estimate, result.Ratio, result.Mean,
                shares.Median, shares.At(0.9), shares.At(0.95), shares.At(0.99), shares.At(0.999), shares.Maximum, result.SameTop),
        };
    }

    /// <summary>A record of tasks: of a group, the group and its tasks. Those that something else judges have no score.</summary>
    /// <param name="results">What was measured.</param>
    /// <param name="options">How.</param>
    public static EvaluationRecord Of(IReadOnlyList<TaskResult> results, Tasks.EvaluationOptions options)
    {
        ArgumentNullException.ThrowIfNull(results);
        ArgumentNullException.ThrowIfNull(options);
        string cache = (options.Cache ?? CacheOptions.Default).Description;
        return new()
        {
            Tasks = [.. results.SelectMany(result => result.Metrics.Select(m =>
                new TaskScore(result.Name, m.Metric.ShortKey, m.Value, m.Error, result.Items.Count, result.Shots, options.Seed, options.Limit, cache)))],
        };
    }

    /// <summary>
    /// This record with what another one measured later. What is said of a text is said of one text alone: where the later record
    /// has another, or read it otherwise, what this one says of its own goes. Of a task, all goes that is not of the later record.
    /// </summary>
    public EvaluationRecord With(EvaluationRecord later)
    {
        ArgumentNullException.ThrowIfNull(later);
        bool isSameText = later.Text is null || later.Text.IsReadAs(Text);
        return later with
        {
            Recipe = later.Recipe ?? Recipe,
            Text = later.Text ?? Text,
            Perplexity = later.Perplexity ?? (isSameText ? Perplexity : null),
            Base = later.Base ?? (isSameText ? Base : null),
            Divergence = later.Divergence ?? (isSameText ? Divergence : null),
            Tasks = [.. Tasks.Where(old => later.Tasks.All(t => t.Task != old.Task)), .. later.Tasks],
        };
    }
}
