using System.Globalization;
using System.Text;

namespace Nibble.Evaluation.Comparison.Writing;

/// <summary>The report as a table for spreadsheets (RFC 4180, with a point in numbers): one line for the base and each variant. Errors are standard errors.</summary>
internal static class CsvReport
{
    public static string Write(ComparisonReport report)
    {
        StringBuilder text = new();
        List<string> head =
        [
            "variant", "file", "sha256", "bytes", "size_ratio", "bits_per_weight", "perplexity", "perplexity_error", "perplexity_ratio", "perplexity_ratio_error",
            "mean_kld", "mean_kld_error", "median_kld", "p90_kld", "p99_kld", "p999_kld", "max_kld", "top_changed", "top_changed_error", "rms_probability_change",
            "prompt_tokens_per_second", "generated_tokens_per_second", "memory_bytes", "speed_measured", "on_front", "verdict",
        ];
        foreach (ComparedTask task in report.Tasks) head.AddRange([task.Name, $"{task.Name}_difference", $"{task.Name}_low", $"{task.Name}_high", $"{task.Name}_p"]);
        Line(text, head);
        List<string> first = [.. Model(report.Base, report.Base), .. Enumerable.Repeat("", 12), .. Speed(report.Base), "", "base"];
        foreach (ComparedTask task in report.Tasks) first.AddRange([Number(task.Score.Value), "", "", "", ""]);
        Line(text, first);
        foreach (VariantReport v in report.Variants) Line(text, Variant(report, v));
        return text.ToString();
    }

    private static List<string> Variant(ComparisonReport report, VariantReport v)
    {
        DivergenceFigures d = v.Divergence;
        List<string> cells =
        [
            .. Model(v.Model, report.Base),
            .. ((double[])[d.PerplexityRatio.Value, d.PerplexityRatio.Error, d.MeanKld.Value, d.MeanKld.Error, d.MedianKld, d.P90Kld, d.P99Kld, d.P999Kld, d.MaxKld, d.TopChanged.Value, d.TopChanged.Error, d.RmsProbabilityChange]).Select(Number),
            .. Speed(v.Model), v.IsOnFront ? "yes" : "no", v.Verdict.ToString().ToLowerInvariant(),
        ];
        foreach (TaskDifference t in v.Tasks) cells.AddRange(((double[])[t.Score.Value, t.Difference, t.Low, t.High, t.PValue]).Select(Number));
        return cells;
    }

    private static string[] Model(ComparedModel model, ComparedModel original) =>
    [
        model.Name, model.File, model.Sha256, model.Bytes.ToString(CultureInfo.InvariantCulture), Number((double)model.Bytes / original.Bytes), Number(model.BitsPerWeight),
        Number(model.Perplexity.Value), Number(model.Perplexity.Error),
    ];

    private static string[] Speed(ComparedModel model) =>
        model.Speed is { } speed ? [Number(speed.Prompt.Median), Number(speed.Generation.Median), speed.RunBytes.ToString(CultureInfo.InvariantCulture), speed.Measured.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture)] : ["", "", "", ""];

    private static string Number(double value) => value.ToString("G9", CultureInfo.InvariantCulture);

    private static void Line(StringBuilder text, IEnumerable<string> cells) => text.AppendJoin(',', cells.Select(Cell)).Append("\r\n");

    private static string Cell(string text)
    {
        // A spreadsheet would compute a name that begins like a formula; numbers may begin with a minus.
        if (text is ['=' or '+' or '@' or '\t' or '\r', ..] || (text is ['-', ..] && !double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _))) text = "'" + text;
        return text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}
