using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using Nibble.Files;

namespace Nibble.Evaluation.Cards;

/// <summary>The text of a <see cref="ModelCard"/>. The keys of its head are those of https://huggingface.co/docs/hub/model-cards.</summary>
/// <param name="name">The name of the model's file.</param>
/// <param name="model">The model.</param>
/// <param name="record">What was measured.</param>
internal sealed class ModelCardText(string name, ModelFile model, EvaluationRecord record)
{
    private readonly StringBuilder _text = new();

    public override string ToString()
    {
        _text.Clear();
        WriteHead();
        Line($"# {Plain(name)}");
        Line("");
        Line(record.Base is { } reference ? $"{Plain(reference.Name)} quantized to {Plain(record.Recipe ?? "fewer bits")} with Nibble." : $"{Plain(record.Recipe ?? "A model")}, measured with Nibble.");
        Line(Invariant($"{model.Tensors.Sum(t => t.Count) / 1e6:F1} million parameters, {8.0 * model.Tensors.Sum(t => t.Bytes) / model.Tensors.Sum(t => t.Count):F2} bits per weight."));
        Line("");
        WriteQuality();
        WriteTasks();
        WriteOrigin();
        return _text.ToString();
    }

    private IEnumerable<(string Type, string Name, double Value)> Metrics
    {
        get
        {
            if (record.Perplexity is { } perplexity) yield return ("perplexity", "Perplexity", perplexity.Value);
            if (record.Divergence is not { } divergence) yield break;
            yield return ("kl_divergence", "Mean KL divergence from the base (nats)", divergence.Mean.Value);
            yield return ("kl_divergence_p99", "99th percentile of the KL divergence (nats)", divergence.P99);
            yield return ("same_top_token", "Share of tokens with the same likeliest token as the base", divergence.SameTop.Value);
            yield return ("perplexity_ratio", "Perplexity relative to the base", divergence.Ratio.Value);
        }
    }

    private void WriteHead()
    {
        Line("---");
        if (BaseModel is { } baseModel)
        {
            Line($"base_model: {Quote(baseModel)}");
            Line("base_model_relation: quantized");
        }
        Line($"quantized_by: {Quote(model.Metadata.String("general.quantized_by") ?? $"Nibble {record.Version}")}");
        if (model.Metadata.String("general.license") is { } licence) Line($"license: {Quote(licence)}");
        Line("library_name: gguf");
        Line("pipeline_tag: text-generation");
        Line("tags:");
        Line("- gguf");
        if (record.Recipe is { } recipe) Line($"- {Quote(recipe)}");
        if (Metrics.Any() || record.Tasks.Count > 0)
        {
            Line("model-index:");
            Line($"- name: {Quote(Path.GetFileNameWithoutExtension(name))}");
            Line("  results:");
            if (record.Text is { } text) WriteResult(text.Name, Metrics);
            foreach (IGrouping<string, TaskScore> task in record.Tasks.GroupBy(t => t.Task)) WriteResult(task.Key, task.Select(t => (t.Metric, t.Metric, t.Value)));
        }
        Line("---");
        Line("");
    }

    private void WriteResult(string dataset, IEnumerable<(string Type, string Name, double Value)> metrics)
    {
        if (!metrics.Any()) return;
        Line("  - task:");
        Line("      type: text-generation");
        Line("      name: Text Generation");
        Line("    dataset:");
        Line($"      name: {Quote(dataset)}");
        Line($"      type: {Quote(dataset)}");
        Line("    metrics:");
        foreach ((string type, string title, double value) in metrics)
        {
            Line($"    - type: {Quote(type)}");
            Line($"      name: {Quote(title)}");
            Line(Invariant($"      value: {value:G9}"));
        }
    }

    private void WriteQuality()
    {
        if (record.Perplexity is not { } perplexity) return;
        Line("## What quantizing cost");
        Line("");
        Line("| | |");
        Line("|---|---|");
        if (record.Divergence is { } divergence)
        {
            Line(Invariant($"| perplexity of the base | {divergence.BasePerplexity.ToText("F4")} |"));
            Line(Invariant($"| perplexity | {perplexity.ToText("F4")} |"));
            Line(Invariant($"| difference | {divergence.Increase.ToText("F2", 100, "+0.00;-0.00;0.00")} % |"));
            Line(Invariant($"| mean KL divergence | {divergence.Mean.ToText("F6")} |"));
            Line(Invariant($"| KL divergence, median / 99 % / 99.9 % / maximum | {divergence.Median:F6} / {divergence.P99:F6} / {divergence.P999:F6} / {divergence.Maximum:F6} |"));
            Line(Invariant($"| same likeliest token | {divergence.SameTop.ToText("F2", 100)} % |"));
        }
        else
        {
            Line(Invariant($"| perplexity | {perplexity.ToText("F4")} |"));
        }
        Line("");
        Line($"{(double.IsFinite(perplexity.Error) ? "± is one standard error" : "A single token leaves errors unknown")}; KL divergence is in nats per token.");
        Line("");
    }

    private void WriteTasks()
    {
        if (record.Tasks.Count == 0) return;
        Line("## Tasks");
        Line("");
        Line("| task | metric | score | questions | examples in front | seed | cache |");
        Line("|---|---|---|---|---|---|---|");
        foreach (TaskScore task in record.Tasks)
            Line(Invariant($"| {Plain(task.Task)} | {Plain(task.Metric)} | {task.Text} | {task.Items}{(task.Limit is { } limit ? $" (limit {limit})" : "")} | {task.Shots} | {task.Seed} | {Plain(task.Cache)} |"));
        Line("");
        Line("Scores are those of EleutherAI's lm-evaluation-harness; ± is one standard error. The seed draws the examples; the cache is how keys and values were stored.");
        Line("");
    }

    private void WriteOrigin()
    {
        Line("## How it was measured");
        Line("");
        if (record.Text is { } text)
        {
            string windows = Invariant($"{text.Windows} windows of {text.ContextLength} tokens{(text.Stride is { } stride ? $", {stride} apart" : ", of which the second half is scored")}");
            Line(Invariant($"- text: {Plain(text.Name)}, SHA-256 `{Plain(text.Sha256)}`; {windows}, {text.Tokens} tokens scored; cache {Plain(text.Cache)}"));
        }
        if (record.Base is { } reference) Line($"- base: {Plain(reference.Name)}, SHA-256 `{Plain(reference.Sha256)}`; cache {Plain(reference.Cache)}");
        if (record.Text is not null) Line("- the cache is how keys and values were stored");
        Line($"- Nibble {Plain(record.Version)}");
        Line("");
        Line($"The same numbers are in the file's metadata (`nibble show {Plain(name)}`).");
        Line("");
    }

    /// <summary>The repository that the model comes from, where the file says it, else the name of the base.</summary>
    private string? BaseModel
    {
        get
        {
            const string Hub = "https://huggingface.co/";
            string? url = model.Metadata.String("general.base_model.0.repo_url") ?? model.Metadata.String("general.source.huggingface.repository") ?? model.Metadata.String("general.repo_url");
            return url?.StartsWith(Hub, StringComparison.Ordinal) == true ? url[Hub.Length..].TrimEnd('/') : url ?? record.Base?.Name;
        }
    }

    private void Line(string line) => _text.Append(line).Append('\n');

    /// <summary>A string of JSON, which is one of YAML, too.</summary>
    private static string Quote(string value) => $"\"{JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(value)}\"";

    /// <summary>Text from a file as it may stand in a table: on one line, and nothing in it is Markdown.</summary>
    private static string Plain(string value)
    {
        StringBuilder plain = new();
        foreach (char c in value)
        {
            if (char.IsControl(c)) continue;
            if (c is '|' or '<' or '[' or '*' or '`' or '\\') plain.Append('\\');
            plain.Append(c);
        }
        return plain.ToString();
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
