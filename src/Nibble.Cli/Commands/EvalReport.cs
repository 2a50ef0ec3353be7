using System.Globalization;
using System.Text.Json;
using Nibble.Cli.Terminal;
using Nibble.Evaluation.Statistics;
using Nibble.Evaluation.Tasks;

namespace Nibble.Cli.Commands;

/// <summary>The results of <c>nibble eval</c>, for people and for programs.</summary>
internal sealed class EvalReport(string model, IReadOnlyList<TaskResult> results, string? baseModel, IReadOnlyList<TaskResult>? baseResults, int seed, string? samples)
{
    /// <summary>Perplexities beyond it, as of models that do not know the language, are shown with an exponent.</summary>
    private const double LargestWritten = 10_000;

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
        TextTable table = new(NameOf(model), ["task", "metric", "items", "examples", "value", "error"], textColumns: 2);
        foreach (TaskResult result in results)
            foreach ((TaskMetric metric, double value, double error) in result.Metrics)
                table.Add(Indented(result), Title(metric), Number(result.Items.Count), Number(result.Shots), Value(metric, value), double.IsNaN(error) ? "" : $"± {Value(metric, error)}");
        if (results.Any(r => r.Metrics.Count > 0)) table.Print(asMarkdown: false);
    }

    private void PrintComparison()
    {
        Screen.Print($"{NameOf(model)} against {NameOf(baseModel!)}");
        TextTable scores = new(null, ["task, metric", "base", "here", "difference (95 %)", "verdict"], textColumns: 1, textColumnsAtEnd: 1);
        TextTable flips = new(null, ["task, metric", "items", "gained", "lost", "p"], textColumns: 1);
        foreach (TaskComparison task in _comparisons)
        {
            string name = Indented(results.First(r => r.Name == task.Name)) + ", ";
            foreach ((TaskMetric metric, PairedComparison c) in task.Metrics)
            {
                scores.Add(name + ShortTitle(metric), Points(metric, c.Base), Points(metric, c.Variant), $"{Signed(metric, c.Difference)} ({Signed(metric, c.Lower)} to {Signed(metric, c.Upper)})",
                    !c.IsDistinguishable ? "unclear" : c.Difference > 0 ^ metric.IsPerplexity ? "better" : "worse");
                flips.Add(name + ShortTitle(metric), Number(c.Items), c.Gained is { } gained ? Number(gained) : "", c.Lost is { } lost ? Number(lost) : "", c.PValue is { } p ? PValue(p) : "");
            }
        }
        scores.Print(asMarkdown: false);
        flips.Print(asMarkdown: false);
        Screen.Print("Shares are in percent, differences in points with their 95 % interval (paired");
        Screen.Print("bootstrap). Unclear: chance alone may be the reason. Gained and lost are items");
        Screen.Print("that only one of both models has right; p is that of McNemar's exact test.");
    }

    private static string NameOf(string path) => Path.GetFileName(Path.TrimEndingDirectorySeparator(path));

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

    private static string Indented(TaskResult result) => result.Group is null ? result.Name : $"  {result.Name}";

    private static string Title(TaskMetric metric) => metric.Filter == "none" ? metric.Name : $"{metric.Name}, {metric.Filter}";

    /// <summary>The same without the name of the metric, which is the same for all filters.</summary>
    private static string ShortTitle(TaskMetric metric) => metric.Filter == "none" ? metric.Name : metric.Filter;

    private static string Number(int count) => count.ToString("N0", CultureInfo.InvariantCulture);

    private static string Value(TaskMetric metric, double value) => metric.IsPerplexity ? value.ToString("F2", CultureInfo.InvariantCulture) : string.Create(CultureInfo.InvariantCulture, $"{value * 100:F2} %");

    /// <summary>A share in percent without the sign, or a perplexity.</summary>
    private static string Points(TaskMetric metric, double value) => Figure(metric, value, "F2");

    private static string Signed(TaskMetric metric, double value) => (value > 0 ? "+" : "") + Figure(metric, value, metric.IsPerplexity ? "F2" : "F1");

    private static string Figure(TaskMetric metric, double value, string format)
    {
        double shown = metric.IsPerplexity ? value : value * 100;
        return shown.ToString(Math.Abs(shown) < LargestWritten ? format : "G3", CultureInfo.InvariantCulture);
    }

    private static string PValue(double p) => p < 0.0001 ? "< 0.0001" : p.ToString("F4", CultureInfo.InvariantCulture);
}
