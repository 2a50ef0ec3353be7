using Nibble.Evaluation.Divergence;
using Nibble.Quantization.Recipes;

namespace Nibble.Evaluation.Cards;

/// <summary>The text that was measured on, and how it was read.</summary>
/// <param name="Name">The name of its file.</param>
/// <param name="Sha256">SHA-256 of its bytes.</param>
/// <param name="ContextLength">Tokens of a window.</param>
/// <param name="Stride">Tokens from one window to the next; <see langword="null"/> where windows do not overlap.</param>
/// <param name="Windows">Windows read.</param>
/// <param name="Tokens">Tokens scored.</param>
public sealed record MeasuredText(string Name, string Sha256, int ContextLength, int? Stride, int Windows, long Tokens);

/// <summary>The model that another was compared with.</summary>
/// <param name="Name">The name of its file or folder.</param>
/// <param name="Sha256">SHA-256 of the bytes of its files, one after the other.</param>
public sealed record MeasuredBase(string Name, string Sha256);

/// <summary>How far a model is from its base, see <see cref="DivergenceResult"/>.</summary>
public sealed record MeasuredDivergence(Estimate BasePerplexity, Estimate Ratio, Estimate Mean, double Median, double P90, double P95, double P99, double P999, double Maximum, Estimate SameTop);

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
            Text = new(text.Name, text.Sha256, result.ContextLength, options.Stride, result.Windows, result.Tokens),
            Perplexity = new(result.Perplexity, result.Error),
        };
    }

    /// <summary>A record of a divergence.</summary>
    /// <param name="result">What was measured.</param>
    /// <param name="textName">The name of the text.</param>
    /// <param name="textSha256">SHA-256 of the text.</param>
    /// <param name="reference">The base.</param>
    public static EvaluationRecord Of(DivergenceResult result, string textName, string textSha256, MeasuredBase reference)
    {
        ArgumentNullException.ThrowIfNull(result);
        Percentiles shares = result.Divergences;
        return new()
        {
            Text = new(textName, textSha256, result.ContextLength, null, result.Windows, result.Tokens.Count),
            Perplexity = new(result.Perplexity.Perplexity, result.Perplexity.Error),
            Base = reference,
            Divergence = new(new(result.BasePerplexity.Perplexity, result.BasePerplexity.Error), result.Ratio, result.Mean,
                shares.Median, shares.At(0.9), shares.At(0.95), shares.At(0.99), shares.At(0.999), shares.Maximum, result.SameTop),
        };
    }

    /// <summary>
    /// This record with what another one measured later. What is said of a text is said of one text alone: where the later record
    /// has another, or another window, what this one says of its own goes. A task's metric is replaced by a later one of the same name.
    /// </summary>
    public EvaluationRecord With(EvaluationRecord later)
    {
        ArgumentNullException.ThrowIfNull(later);
        bool isSameText = later.Text is null || later.Text == Text;
        return later with
        {
            Recipe = later.Recipe ?? Recipe,
            Text = later.Text ?? Text,
            Perplexity = later.Perplexity ?? (isSameText ? Perplexity : null),
            Base = later.Base ?? (isSameText ? Base : null),
            Divergence = later.Divergence ?? (isSameText ? Divergence : null),
            Tasks = [.. Tasks.Where(old => !later.Tasks.Any(t => t.Task == old.Task && t.Metric == old.Metric)), .. later.Tasks],
        };
    }
}
