namespace Nibble.Evaluation.Tasks;

/// <summary>One item's part of a result.</summary>
/// <param name="Id">The item.</param>
/// <param name="Values">Its value of each metric of the task, in their order: 1 and 0 for right and wrong, the log-likelihood for a perplexity.</param>
/// <param name="Outcome">What the model made of it.</param>
public sealed record ItemResult(string Id, IReadOnlyList<double> Values, ItemOutcome Outcome);

/// <summary>A measure of a task.</summary>
/// <param name="Metric">Which.</param>
/// <param name="Value">Its value over all items.</param>
/// <param name="Error">One standard error of it: of a mean by the sample's variance; of a perplexity that of the mean log-likelihood times the perplexity.</param>
public sealed record MetricValue(TaskMetric Metric, double Value, double Error);

/// <summary>How well a model does a task, or a group of tasks.</summary>
/// <param name="Name">The task, or the group.</param>
/// <param name="Domain">What it asks of a model.</param>
/// <param name="Metrics">The value of each metric.</param>
/// <param name="Items">Every item, in the order of the task.</param>
/// <param name="Shots">Examples before each question.</param>
public sealed record TaskResult(string Name, TaskDomain Domain, IReadOnlyList<MetricValue> Metrics, IReadOnlyList<ItemResult> Items, int Shots)
{
    /// <summary>The group this task belongs to.</summary>
    public string? Group { get; init; }

    /// <summary>The tasks of a group; empty for a task.</summary>
    public IReadOnlyList<TaskResult> Parts { get; init; } = [];

    /// <summary>Items of which the context held only the end.</summary>
    public int Truncated => Items.Count(i => i.Outcome.TruncatedTokens > 0);

    /// <summary>The values of a metric, an item each.</summary>
    /// <param name="metric">Its index in <see cref="Metrics"/>.</param>
    public double[] Values(int metric) => [.. Items.Select(i => i.Values[metric])];

    internal static TaskResult Of(EvaluationTask task, IReadOnlyList<ItemOutcome> outcomes, int shots)
    {
        ItemResult[] items = [.. outcomes.Select((o, i) => new ItemResult(task.Items[i].Id, [.. task.Metrics.Select(m => m.OfItem(task.Items[i], o))], o))];
        return new(task.Name, task.Domain, [.. task.Metrics.Select((metric, m) => Value(metric, [.. items.Select(i => i.Values[m])]))], items, shots) { Group = task.Group };
    }

    /// <summary>The tasks of a group as one: every item counts the same. The errors are pooled within the tasks, as the harness pools them.</summary>
    internal static TaskResult OfGroup(string name, IReadOnlyList<TaskResult> parts)
    {
        ItemResult[] items = [.. parts.SelectMany(p => p.Items.Select(i => i with { Id = $"{p.Name}/{i.Id}" }))];
        MetricValue[] metrics = [.. parts[0].Metrics.Select((m, index) =>
            new MetricValue(m.Metric, m.Metric.OfMean(items.Average(i => i.Values[index])), PooledError(parts, index, items.Length)))];
        return new(name, parts[0].Domain, metrics, items, parts[0].Shots) { Parts = parts };
    }

    private static MetricValue Value(TaskMetric metric, double[] values)
    {
        if (values.Length == 0) return new(metric, double.NaN, double.NaN);
        double mean = values.Average(), value = metric.OfMean(mean);
        double error = values.Length < 2 ? double.NaN : Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Length - 1) / values.Length);
        return new(metric, value, metric.IsPerplexity ? value * error : error);
    }

    private static double PooledError(IReadOnlyList<TaskResult> parts, int metric, int items)
    {
        // Each task's error is that of its mean, so its variance is error^2 times its items.
        double squares = parts.Sum(p => p.Items.Count < 2 ? 0 : (p.Items.Count - 1.0) * p.Items.Count * p.Metrics[metric].Error * p.Metrics[metric].Error);
        return items > parts.Count ? Math.Sqrt(squares / (items - parts.Count) / items) : double.NaN;
    }
}
