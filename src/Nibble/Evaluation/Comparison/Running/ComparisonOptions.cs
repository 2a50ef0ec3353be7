using Nibble.Evaluation.Tasks;
using Nibble.Generation;
using Nibble.Models;
using Nibble.Quantization;

namespace Nibble.Evaluation.Comparison.Running;

/// <summary>A variant that is asked for.</summary>
/// <param name="Name">What it is called in the report.</param>
/// <param name="Path">Its file.</param>
/// <param name="Recipe">How the file is made of the base where it is missing; <see langword="null"/> for a file that must be there.</param>
public sealed record RequestedVariant(string Name, string Path, Recipe? Recipe);

/// <summary>What to compare, and how.</summary>
public sealed record ComparisonOptions
{
    /// <summary>The model that all others are compared with: a file or a folder.</summary>
    public required string Base { get; init; }

    /// <summary>The variants.</summary>
    public required IReadOnlyList<RequestedVariant> Variants { get; init; }

    /// <summary>The folder for the report, the files that are made, and what is kept for a later run. It is made where it is missing.</summary>
    public required string Folder { get; init; }

    /// <summary>The text to predict, UTF-8.</summary>
    public required ReadOnlyMemory<byte> Text { get; init; }

    /// <summary>The name of its file.</summary>
    public required string TextName { get; init; }

    /// <summary>Tokens of a window; <see langword="null"/> for the usual.</summary>
    public int? ContextLength { get; init; }

    /// <summary>Windows to read at most.</summary>
    public int Windows { get; init; } = int.MaxValue;

    /// <summary>How keys and values are stored; <see langword="null"/> for half precision.</summary>
    public CacheOptions? Cache { get; init; }

    /// <summary>How models are run.</summary>
    public ModelOptions Run { get; init; } = new();

    /// <summary>The tasks to do; only what is right or wrong is compared, so tasks that measure nothing else are left out.</summary>
    public IReadOnlyList<EvaluationTask> Tasks { get; init; } = [];

    /// <summary>How tasks are done.</summary>
    public Tasks.EvaluationOptions TaskOptions { get; init; } = new();

    /// <summary>How speed is measured; <see langword="null"/> for not at all.</summary>
    public SpeedOptions? Speed { get; init; } = new() { Prompts = [128], Generated = 32, Repetitions = 3 };

    /// <summary>Whether speed is measured anew where an earlier run measured it on this machine.</summary>
    public bool MeasuresSpeedAnew { get; init; }

    /// <summary>The importance matrix that variants are made with; <see langword="null"/> for none.</summary>
    public ImportanceRequest? Importance { get; init; }

    /// <summary>Whether what was measured is kept in the variants' own files, with a model card beside each.</summary>
    public bool SavesCards { get; init; }

    /// <summary>Whether they may take the place of fuller measurements.</summary>
    public bool ReplacesFullerCards { get; init; }

    /// <summary>What a recommended variant may lose.</summary>
    public RecommendationBounds Bounds { get; init; } = new();
}
