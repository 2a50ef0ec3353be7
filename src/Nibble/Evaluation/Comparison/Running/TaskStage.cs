using Nibble.Evaluation.Statistics;
using Nibble.Evaluation.Tasks;

namespace Nibble.Evaluation.Comparison.Running;

/// <summary>Makes of the results of tasks what a report has of them.</summary>
internal static class TaskStage
{
    /// <summary>Refuses tasks of which nothing can be compared.</summary>
    /// <exception cref="NibbleException">There is one; the message names it.</exception>
    public static void Check(IReadOnlyList<EvaluationTask> tasks)
    {
        if (tasks.GroupBy(t => t.Name).FirstOrDefault(g => g.Count() > 1) is { } twice) Throw.BadInput($"there are two tasks called {twice.Key}; rename a --task-file");
        if (tasks.FirstOrDefault(t => !t.Metrics.Any(m => !m.IsPerplexity)) is { } other)
            Throw.BadInput($"the task {other.Name} is not scored in right and wrong answers here, so nothing of it can be compared; leave it out of --tasks");
    }

    /// <summary>The results that are shown: of a group its sum alone.</summary>
    public static TaskResult[] Shown(IReadOnlyList<TaskResult> results)
    {
        HashSet<string> parts = [.. results.SelectMany(r => r.Parts).Select(p => p.Name)];
        return [.. results.Where(r => !parts.Contains(r.Name)).OrderBy(r => r.Domain)];
    }

    /// <summary>The base's score: its most telling metric.</summary>
    public static ComparedTask Describe(TaskResult result)
    {
        MetricValue metric = result.Metrics[MetricOf(result)];
        return new(result.Name, result.Domain, metric.Metric.Name, result.Items.Count, Score(result, metric));
    }

    /// <summary>How a variant differs on the same items.</summary>
    public static TaskDifference Compare(TaskResult original, TaskResult variant)
    {
        int metric = MetricOf(original);
        PairedComparison paired = TaskComparison.Of(original, variant).Metrics[metric].Comparison;
        MetricValue value = variant.Metrics[metric];
        return new(original.Name, Score(variant, value), paired.Difference, paired.Lower, paired.Upper, paired.Lost ?? 0, paired.Gained ?? 0, paired.PValue ?? 1);
    }

    /// <summary>A score with its error; one of which all items are alike has the error of <see cref="Estimate.Share"/>, and a single item none that is known.</summary>
    private static Estimate Score(TaskResult result, MetricValue metric) =>
        metric is { Error: 0, Value: 0 or 1 } ? Estimate.Share((long)metric.Value * result.Items.Count, result.Items.Count) : new(metric.Value, metric.Error);

    private static int MetricOf(TaskResult result) => result.Metrics.Index().Last(m => !m.Item.Metric.IsPerplexity).Index;
}
