using Nibble.Evaluation.Tasks;

namespace Nibble.Evaluation.Comparison;

/// <summary>A variant, and how it differs from the base.</summary>
public sealed record VariantReport
{
    /// <summary>The variant by itself.</summary>
    public required ComparedModel Model { get; init; }

    /// <summary>How its predictions differ.</summary>
    public required DivergenceFigures Divergence { get; init; }

    /// <summary>The error of each matrix that has the same name and shape as in the base and another format.</summary>
    public IReadOnlyList<TensorFigure> Tensors { get; init; } = [];

    /// <summary>How its answers differ, task by task in the order of <see cref="ComparisonReport.Tasks"/>.</summary>
    public IReadOnlyList<TaskDifference> Tasks { get; init; } = [];

    /// <summary>Whether no other variant is both smaller and nearer to the base; see <see cref="ParetoFront"/>.</summary>
    public bool IsOnFront { get; init; }

    /// <summary>What the evidence says of it; see <see cref="RecommendationRule"/>.</summary>
    public Verdict Verdict { get; init; }
}

/// <summary>How the predictions of a variant differ from those of the base, over all scored tokens. Divergences are in nats.</summary>
public sealed record DivergenceFigures
{
    /// <summary>The perplexity of the variant divided by that of the base, with the error of their logarithms' paired difference.</summary>
    public required Estimate PerplexityRatio { get; init; }

    /// <summary>The mean Kullback-Leibler divergence of the variant's prediction from the base's.</summary>
    public required Estimate MeanKld { get; init; }

    /// <summary>Half of the tokens diverge less.</summary>
    public double MedianKld { get; init; }

    /// <summary>90 % of the tokens diverge less.</summary>
    public double P90Kld { get; init; }

    /// <summary>99 % of the tokens diverge less.</summary>
    public double P99Kld { get; init; }

    /// <summary>99.9 % of the tokens diverge less.</summary>
    public double P999Kld { get; init; }

    /// <summary>The token that diverges most.</summary>
    public double MaxKld { get; init; }

    /// <summary>The share of tokens for which the likeliest successor is another.</summary>
    public required Estimate TopChanged { get; init; }

    /// <summary>Root mean square of the change of the probability of the token that came.</summary>
    public double RmsProbabilityChange { get; init; }
}

/// <summary>How far a tensor is from the base's.</summary>
/// <param name="Name">Its name in GGUF.</param>
/// <param name="Format">Its format in the variant.</param>
/// <param name="RelativeError">Root mean square of the error divided by root mean square of the base's values.</param>
public sealed record TensorFigure(string Name, string Format, double RelativeError);

/// <summary>A task, and how the base does on it.</summary>
/// <param name="Name">Its name, such as <c>arc_easy</c>.</param>
/// <param name="Domain">What it asks of a model.</param>
/// <param name="Metric">What is counted, such as <c>acc_norm</c>.</param>
/// <param name="Items">Items that were done.</param>
/// <param name="Score">The share of them that the base gets right.</param>
public sealed record ComparedTask(string Name, TaskDomain Domain, string Metric, int Items, Estimate Score);

/// <summary>How a variant does on a task, item by item against the base.</summary>
/// <param name="Task">The name of the task.</param>
/// <param name="Score">The share of items that the variant gets right.</param>
/// <param name="Difference">That share minus the base's.</param>
/// <param name="Low">The lower end of the 95 % interval of the difference.</param>
/// <param name="High">The upper end.</param>
/// <param name="Lost">Items that the base alone gets right.</param>
/// <param name="Gained">Items that the variant alone gets right.</param>
/// <param name="PValue">How often chance alone would flip so unevenly (McNemar's exact test, both sides).</param>
public sealed record TaskDifference(string Task, Estimate Score, double Difference, double Low, double High, int Lost, int Gained, double PValue);

/// <summary>What the evidence says of a variant.</summary>
public enum Verdict
{
    /// <summary>The intervals reach over a bound, so it may be within or not.</summary>
    Undecided,

    /// <summary>Within all bounds, uncertainty included.</summary>
    Within,

    /// <summary>Beyond a bound, uncertainty included, or worse at a task.</summary>
    Beyond,
}
