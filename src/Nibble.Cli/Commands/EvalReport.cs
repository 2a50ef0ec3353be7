using System.Globalization;
using System.Text.Json;
using Nibble.Cli.Terminal;
using Nibble.Evaluation.Statistics;
using Nibble.Evaluation.Tasks;

namespace Nibble.Cli.Commands;

/// <summary>The results of <c>nibble eval</c>, for people and for programs.</summary>
internal sealed class EvalReport(string model, IReadOnlyList<TaskResult> results, string? baseModel, IReadOnlyList<TaskResult>? baseResults, int seed, string? samples)
{
    private readonly TaskComparison[] _comparisons = baseResults is null ? [] : [.. baseResults.Select(first => TaskComparison.Of(first, results.First(r => r.Name == first.Name), seed))];

    public void Print()
    {
        if (baseModel is null) PrintResults();
        else PrintComparison();
        foreach (TaskResult result in results.Where(r => r is { Truncated: > 0, Parts.Count: 0 }))
            Screen.Print(string.Create(CultureInfo.InvariantCulture, $"{result.Name}: {result.Truncated:N0} of {result.Items.Count:N0} items are longer than the context, of which the end was read"));
        if (samples is not null) Screen.Print($"wrote {samples}; nothing of it was executed. Its official checker: evaluate_functional_correctness {samples}");
    }

    public void WriteJson() => JsonOutput.Write(json =>
    {
        json.WriteStartObject();
        json.WriteString("model", model);
        WriteResults(json, "results", results);
        if (baseResults is not null)
        {
            json.WriteString("base", baseModel);
            WriteResults(json, "baseResults", baseResults);
            json.WriteStartObject("comparison");
            foreach (TaskComparison task in _comparisons)
            {
                json.WriteStartObject(task.Name);
                foreach ((TaskMetric metric, PairedComparison c) in task.Metrics) WriteComparison(json, metric, c);
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        if (samples is not null) json.WriteString("samples", samples);
        json.WriteEndObject();
    });

    private void PrintResults()
    {
        TextTable table = new(Path.GetFileName(model), ["task", "metric", "items", "examples", "value", "error"], textColumns: 2);
        foreach (TaskResult result in results)
            foreach ((TaskMetric metric, double value, double error) in result.Metrics)
                table.Add(Indented(result), Title(metric), Number(result.Items.Count), Number(result.Shots), Value(metric, value), double.IsNaN(error) ? "" : $"± {Value(metric, error)}");
        if (results.Any(r => r.Metrics.Count > 0)) table.Print(asMarkdown: false);
    }

    private void PrintComparison()
    {
        TextTable table = new($"{Path.GetFileName(model)} against {Path.GetFileName(baseModel)}", ["task", "metric", "items", "base", "value", "difference", "95 % interval", "gained", "lost", "p", "verdict"], textColumns: 2, textColumnsAtEnd: 1);
        foreach (TaskComparison task in _comparisons)
            foreach ((TaskMetric metric, PairedComparison c) in task.Metrics)
                table.Add(Indented(results.First(r => r.Name == task.Name)), Title(metric), Number(c.Items), Value(metric, c.Base), Value(metric, c.Variant), Signed(metric, c.Difference), $"{Signed(metric, c.Lower)} to {Signed(metric, c.Upper)}",
                    c.Gained is { } gained ? Number(gained) : "", c.Lost is { } lost ? Number(lost) : "", c.PValue is { } p ? PValue(p) : "",
                    !c.IsDistinguishable ? "no difference shown" : c.Difference > 0 ^ metric.IsPerplexity ? "better" : "worse");
        table.Print(asMarkdown: false);
        Screen.Print("differences of shares are in percentage points, with the interval of a paired bootstrap; gained and lost are items that only one of the two has right; p is that of McNemar's exact test");
    }

    private static void WriteResults(Utf8JsonWriter json, string name, IReadOnlyList<TaskResult> results)
    {
        json.WriteStartObject(name);
        foreach (TaskResult result in results)
        {
            json.WriteStartObject(result.Name);
            json.WriteString("domain", result.Domain.ToString().ToLowerInvariant());
            json.WriteNumber("items", result.Items.Count);
            json.WriteNumber("shots", result.Shots);
            json.WriteNumber("truncated", result.Truncated);
            foreach ((TaskMetric metric, double value, double error) in result.Metrics)
            {
                json.WriteFinite(metric.Key, value);
                json.WriteFinite($"{metric.Name}_stderr,{metric.Filter}", error);
            }
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    private static void WriteComparison(Utf8JsonWriter json, TaskMetric metric, PairedComparison c)
    {
        json.WriteStartObject(metric.Key);
        json.WriteFinite("base", c.Base);
        json.WriteFinite("value", c.Variant);
        json.WriteFinite("difference", c.Difference);
        json.WriteFinite("lower", c.Lower);
        json.WriteFinite("upper", c.Upper);
        if (c.Gained is { } gained) json.WriteNumber("gained", gained);
        if (c.Lost is { } lost) json.WriteNumber("lost", lost);
        if (c.PValue is { } p) json.WriteNumber("p", p);
        json.WriteBoolean("distinguishable", c.IsDistinguishable);
        json.WriteEndObject();
    }

    /// <summary>JSON has no word for what is no number, such as the error of a single item.</summary>
    private static string Indented(TaskResult result) => result.Group is null ? result.Name : $"  {result.Name}";

    private static string Title(TaskMetric metric) => metric.Filter == "none" ? metric.Name : $"{metric.Name}, {metric.Filter}";

    private static string Number(int count) => count.ToString("N0", CultureInfo.InvariantCulture);

    private static string Value(TaskMetric metric, double value) => metric.IsPerplexity ? value.ToString("F2", CultureInfo.InvariantCulture) : string.Create(CultureInfo.InvariantCulture, $"{value * 100:F2} %");

    private static string Signed(TaskMetric metric, double value) => (value > 0 ? "+" : "") + Value(metric, value);

    private static string PValue(double p) => p < 0.0001 ? "< 0.0001" : p.ToString("F4", CultureInfo.InvariantCulture);
}
