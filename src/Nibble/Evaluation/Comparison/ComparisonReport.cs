using System.Globalization;
using Nibble.Evaluation.Cards;

namespace Nibble.Evaluation.Comparison;

/// <summary>
/// What several quantized variants of a model cost against the model they were made of: all that <c>nibble compare</c> measured, and
/// the content of <c>report.json</c>. The pages that people read are made of nothing else.
/// </summary>
public sealed record ComparisonReport
{
    /// <summary>The form that is written; one that changes its meaning gets the next number.</summary>
    public const int CurrentForm = 1;

    /// <summary>The form of this report.</summary>
    public int Form { get; init; } = CurrentForm;

    /// <summary>The version of Nibble that measured.</summary>
    public required string Version { get; init; }

    /// <summary>When the report was written.</summary>
    public required DateTimeOffset Written { get; init; }

    /// <summary>Where the speed was measured.</summary>
    public required MeasuringMachine Machine { get; init; }

    /// <summary>The text that was predicted.</summary>
    public required MeasuredText Text { get; init; }

    /// <summary>The model that all others are compared with.</summary>
    public required ComparedModel Base { get; init; }

    /// <summary>The tasks that were done, in the order of their domains; empty for none.</summary>
    public IReadOnlyList<ComparedTask> Tasks { get; init; } = [];

    /// <summary>The variants, the largest first.</summary>
    public required IReadOnlyList<VariantReport> Variants { get; init; }

    /// <summary>A stretch of the text, token by token; <see langword="null"/> where none was recorded.</summary>
    public Passage? Passage { get; init; }

    /// <summary>Which variant to take, and why.</summary>
    public required Recommendation Recommendation { get; init; }

    /// <summary>When and where speed was measured, in words; <see langword="null"/> where it was not.</summary>
    internal string? SpeedOrigin
    {
        get
        {
            DateTimeOffset[] times = [.. Variants.Select(v => v.Model).Prepend(Base).Select(m => m.Speed?.Measured).OfType<DateTimeOffset>().Order()];
            if (times.Length == 0) return null;
            string first = Minute(times[0]), last = Minute(times[^1]), instructions = Machine.Instructions.Length > 0 ? $" ({Machine.Instructions})" : "";
            return $"{Machine.Processor}{instructions}, {(Machine.Threads == 1 ? "1 thread" : $"{Machine.Threads} threads")}, {(first == last ? first : $"{first} to {last}")} UTC";
        }
    }

    private static string Minute(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
}

/// <summary>The machine that measured.</summary>
/// <param name="Processor">Its processor's name for itself.</param>
/// <param name="Threads">Threads that computed.</param>
/// <param name="Instructions">The vector instructions that were used, such as <c>avx2</c>.</param>
public sealed record MeasuringMachine(string Processor, int Threads, string Instructions = "");

/// <summary>A model, by itself.</summary>
/// <param name="Name">What it is called in the report: its level, or the name of its file.</param>
/// <param name="File">The name of its file or folder.</param>
/// <param name="Sha256">SHA-256 of the bytes of its files, one after the other.</param>
/// <param name="Bytes">Bytes of its files.</param>
/// <param name="BitsPerWeight">Average over all weights.</param>
/// <param name="Perplexity">e to the mean negative log-probability of a scored token.</param>
/// <param name="Speed">How fast it ran; <see langword="null"/> where that was not measured.</param>
public sealed record ComparedModel(string Name, string File, string Sha256, long Bytes, double BitsPerWeight, Estimate Perplexity, SpeedFigures? Speed);

/// <summary>How fast a model ran, and the memory that it takes.</summary>
/// <param name="Prompt">Reading a prompt.</param>
/// <param name="Generation">Generating, one token at a time.</param>
/// <param name="WeightBytes">Bytes of its weights as they are used.</param>
/// <param name="RunBytes">Bytes of weights, keys and values of a full context, and what it works in.</param>
/// <param name="ContextLength">Tokens of that context.</param>
public sealed record SpeedFigures(RateFigures Prompt, RateFigures Generation, long WeightBytes, long RunBytes, int ContextLength)
{
    /// <summary>When it was measured, which may be in an earlier run than the report's.</summary>
    public required DateTimeOffset Measured { get; init; }
}

/// <summary>Tokens per second over several repetitions.</summary>
/// <param name="Tokens">Tokens of a repetition.</param>
/// <param name="Median">The median of the repetitions.</param>
/// <param name="Min">The slowest.</param>
/// <param name="Max">The fastest.</param>
public sealed record RateFigures(int Tokens, double Median, double Min, double Max);
