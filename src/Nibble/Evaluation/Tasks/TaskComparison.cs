using Nibble.Evaluation.Statistics;

namespace Nibble.Evaluation.Tasks;

/// <summary>A metric of a task for two models on the same items.</summary>
public sealed record MetricComparison(TaskMetric Metric, PairedComparison Comparison);

/// <summary>How two models do the same task.</summary>
public sealed record TaskComparison(string Name, TaskDomain Domain, IReadOnlyList<MetricComparison> Metrics)
{
    /// <summary>Compares results of the same task, made with the same settings.</summary>
    /// <param name="first">The model to compare with.</param>
    /// <param name="second">The model in question.</param>
    /// <param name="seed">The same seed gives the same intervals.</param>
    /// <exception cref="ArgumentException">They are not of the same items.</exception>
    public static TaskComparison Of(TaskResult first, TaskResult second, int seed = 0)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        if (first.Name != second.Name || first.Shots != second.Shots || !first.Items.Select(i => i.Id).SequenceEqual(second.Items.Select(i => i.Id)))
            throw new ArgumentException($"{first.Name} and {second.Name} are not results of the same items", nameof(second));
        return new(first.Name, first.Domain, [.. first.Metrics.Select((m, index) => new MetricComparison(m.Metric, m.Metric.IsPerplexity
            ? PairedComparison.OfMeans(first.Values(index), second.Values(index), m.Metric.OfMean, seed)
            : PairedComparison.OfAnswers(first.Values(index), second.Values(index), seed)))]);
    }
}
