using System.Globalization;
using System.Text.Json;
using Nibble.Cli.Terminal;
using Nibble.Evaluation;
using Nibble.Evaluation.Cards;
using Nibble.Files;
using Nibble.Models;

namespace Nibble.Cli.Commands;

/// <summary>Prints what a file says of its own quality.</summary>
internal static class EvaluationReport
{
    private const string Unreadable = "cannot be read";

    public static void Print(ModelFile file)
    {
        if (TryRead(file, out string problem) is { } record) Print(record);
        else Screen.Print(problem.Length > 0 ? $"  quality        {Unreadable}: {Format.Printable(problem)}" : "  quality        nobody has measured it (nibble kld BASE FILE --text TEXT --save-card does, and keeps it in the file)");
    }

    public static void Print(EvaluationRecord record)
    {
        Screen.Print("  quality");
        foreach ((string name, string value) in Lines(record)) Screen.Print($"    {name,-20} {Format.Printable(value)}");
    }

    /// <summary>The property <c>evaluation</c>: null where nobody measured.</summary>
    public static void WriteJson(Utf8JsonWriter json, ModelFile file)
    {
        EvaluationRecord? record = TryRead(file, out string problem);
        if (record is not null) WriteJson(json, record);
        else json.WriteNull("evaluation");
        if (problem.Length > 0) json.WriteString("evaluationProblem", problem);
    }

    public static void WriteJson(Utf8JsonWriter json, EvaluationRecord record)
    {
        json.WriteStartObject("evaluation");
        json.WriteString("version", record.Version);
        json.WriteString("recipe", record.Recipe);
        if (record.Text is { } text)
        {
            json.WriteStartObject("text");
            json.WriteString("name", text.Name);
            json.WriteString("sha256", text.Sha256);
            json.WriteNumber("ctx", text.ContextLength);
            if (text.Stride is { } stride) json.WriteNumber("stride", stride);
            json.WriteNumber("windows", text.Windows);
            json.WriteNumber("tokens", text.Tokens);
            json.WriteString("cache", text.Cache);
            json.WriteEndObject();
        }
        Write("ppl", record.Perplexity);
        if (record.Base is { } reference)
        {
            json.WriteStartObject("base");
            json.WriteString("name", reference.Name);
            json.WriteString("sha256", reference.Sha256);
            json.WriteString("cache", reference.Cache);
            json.WriteEndObject();
        }
        if (record.Divergence is { } divergence)
        {
            Write("basePpl", divergence.BasePerplexity);
            Write("pplRatio", divergence.Ratio);
            Write("meanKld", divergence.Mean);
            foreach ((string name, double value) in new[] { ("medianKld", divergence.Median), ("p90Kld", divergence.P90), ("p95Kld", divergence.P95), ("p99Kld", divergence.P99), ("p999Kld", divergence.P999), ("maxKld", divergence.Maximum) })
                json.WriteFinite(name, value);
            Write("sameTop", divergence.SameTop);
        }
        json.WriteStartArray("tasks");
        foreach (TaskScore task in record.Tasks)
        {
            json.WriteStartObject();
            json.WriteString("task", task.Task);
            json.WriteString("metric", task.Metric);
            json.WriteFinite("value", task.Value);
            json.WriteFinite("error", task.Error);
            json.WriteNumber("items", task.Items);
            json.WriteNumber("shots", task.Shots);
            json.WriteNumber("seed", task.Seed);
            if (task.Limit is { } limit) json.WriteNumber("limit", limit);
            json.WriteString("cache", task.Cache);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();

        void Write(string name, Estimate? estimate)
        {
            if (estimate is not { } known) return;
            json.WriteFinite(name, known.Value); // a file may hold anything
            json.WriteFinite(name + "Error", known.Error);
        }
    }

    private static IEnumerable<(string Name, string Value)> Lines(EvaluationRecord record)
    {
        if (record.Text is { } text)
            yield return ("text", Invariant($"{text.Name}, {text.Tokens:N0} tokens in {text.Windows} windows of {text.ContextLength}{(text.Stride is { } stride ? $", {stride} apart" : "")}, SHA-256 {Short(text.Sha256)}{Cache(text.Cache)}"));
        if (record.Perplexity is { } perplexity) yield return ("perplexity", Invariant($"{perplexity.ToText("F4")}"));
        if (record.Base is { } reference) yield return ("base", $"{reference.Name}, SHA-256 {Short(reference.Sha256)}{(reference.Cache == record.Text?.Cache ? "" : Cache(reference.Cache))}");
        if (record.Divergence is { } divergence)
        {
            yield return ("perplexity of base", Invariant($"{divergence.BasePerplexity.ToText("F4")}; {divergence.Increase.ToText("F2", 100, "+0.00;-0.00;0.00")} % here"));
            yield return ("KL divergence", Invariant($"{divergence.Mean.ToText("F6")}; median {divergence.Median:F6}, 99 % {divergence.P99:F6}, maximum {divergence.Maximum:F6}"));
            yield return ("same top token", Invariant($"{divergence.SameTop.ToText("F2", 100)} %"));
        }
        foreach (TaskScore task in record.Tasks)
            yield return (task.Task, Invariant($"{task.Metric} {task.Text}, {task.Items:N0} questions{(task.Limit is { } limit ? $" (--limit {limit})" : "")}, {task.Shots} examples each, seed {task.Seed}{Cache(task.Cache)}"));
        yield return ("measured by", $"Nibble {record.Version}");
    }

    /// <summary>What the file says; where its words make no sense, the file is shown all the same and the problem told.</summary>
    private static EvaluationRecord? TryRead(ModelFile file, out string problem)
    {
        problem = "";
        try
        {
            return EvaluationRecord.Read(file.Metadata);
        }
        catch (NibbleException e)
        {
            problem = e.Message;
            return null;
        }
    }

    /// <summary>How keys and values were stored, where not as usual.</summary>
    private static string Cache(string cache) => cache == CacheOptions.Default.Description ? "" : $", cache {cache}";

    private static string Short(string hash) => hash.Length > 12 ? $"{hash[..12]}…" : hash;

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
