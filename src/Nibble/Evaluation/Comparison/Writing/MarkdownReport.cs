using System.Text;
using Nibble.Evaluation.Cards;
using Nibble.Evaluation.Tasks;

namespace Nibble.Evaluation.Comparison.Writing;

/// <summary>The report as Markdown, as a repository or a model's page shows it.</summary>
internal static class MarkdownReport
{
    private const string Special = "\\`*_{}[]<>#!|~&";

    public static string Write(ComparisonReport report)
    {
        StringBuilder text = new();
        MeasuredText measured = report.Text;
        text.Append($"# {Escape(report.Base.Name)}: what quantization cost\n\n");
        text.Append($"**{Escape(report.Recommendation.Headline)}**\n\n");
        foreach (string reason in report.Recommendation.Reasons) text.Append($"- {Escape(reason)}\n");
        text.Append($"\nCompared with {Escape(report.Base.File)} ({Figures.Bytes(report.Base.Bytes)}) on {Escape(measured.Name)}: {measured.Tokens} tokens scored in {measured.Windows} windows of {measured.ContextLength}. ± is half a 95 % interval.\n\n");

        Table table = new(text, ["variant", "size", "bits per weight", "perplexity", "change", "mean KL divergence", "99th percentile", "top choice changed", "verdict"]);
        table.Row(report.Base.Name, Figures.Bytes(report.Base.Bytes), Figures.Fixed(report.Base.BitsPerWeight, 2), Figures.WithInterval(report.Base.Perplexity), "", "", "", "", "the original");
        foreach (VariantReport v in report.Variants)
        {
            DivergenceFigures d = v.Divergence;
            table.Row(v.Model.Name, Figures.Bytes(v.Model.Bytes), Figures.Fixed(v.Model.BitsPerWeight, 2), Figures.WithInterval(v.Model.Perplexity), Figures.Change(d.PerplexityRatio), Figures.WithInterval(d.MeanKld),
                Figures.ThreeDigits(d.P99Kld), Figures.PercentWithInterval(d.TopChanged), v.Model.Name == report.Recommendation.Variant ? "recommended" : Verdicts.Words(v.Verdict));
        }
        Tasks(text, report);
        Speed(text, report);
        text.Append($"\nText: SHA-256 `{measured.Sha256}`. Written by Nibble {Escape(report.Version)}; report.html beside this file shows it in pictures, report.json and report.csv have all numbers.\n");
        return text.ToString();
    }

    private static void Tasks(StringBuilder text, ComparisonReport report)
    {
        foreach (IGrouping<TaskDomain, (int Index, ComparedTask Item)> domain in report.Tasks.Index().GroupBy(t => t.Item.Domain).OrderBy(g => g.Key))
        {
            text.Append($"\n## {domain.Key.ToString()}\n\n");
            Table table = new(text, ["task", "variant", "share right", "difference (95 % interval)", "lost", "gained", "p"]);
            foreach ((int index, ComparedTask task) in domain)
            {
                table.Row(task.Name, report.Base.Name, Figures.PercentWithInterval(task.Score), "", "", "", "");
                foreach (VariantReport v in report.Variants)
                {
                    TaskDifference t = v.Tasks[index];
                    table.Row(task.Name, v.Model.Name, Figures.PercentWithInterval(t.Score), Figures.Points(t.Difference, t.Low, t.High), $"{t.Lost}", $"{t.Gained}", Figures.ThreeDigits(t.PValue));
                }
            }
        }
    }

    private static void Speed(StringBuilder text, ComparisonReport report)
    {
        if (report.SpeedOrigin is not { } origin) return;
        text.Append($"\n## Speed and memory\n\nMeasured on {Escape(origin)}; medians, with the slowest and the fastest repetition.\n\n");
        Table table = new(text, ["variant", "prompt tokens/s", "generated tokens/s", "memory"]);
        foreach (ComparedModel model in report.Variants.Select(v => v.Model).Prepend(report.Base))
            if (model.Speed is { } speed) table.Row(model.Name, Rate(speed.Prompt), Rate(speed.Generation), Figures.Bytes(speed.RunBytes));
    }

    private static string Rate(RateFigures rate) => $"{Figures.Rate(rate.Median)} ({Figures.Rate(rate.Min)} to {Figures.Rate(rate.Max)})";

    /// <summary>Text from a file as text: nothing in it is markup, and it stays on its line.</summary>
    private static string Escape(string text)
    {
        StringBuilder escaped = new(text.Length);
        foreach (char c in text)
        {
            if (Special.Contains(c, StringComparison.Ordinal)) escaped.Append('\\');
            escaped.Append(char.IsControl(c) ? ' ' : c);
        }
        return escaped.ToString();
    }

    /// <summary>A table of which the first column is text.</summary>
    private readonly struct Table
    {
        private readonly StringBuilder _text;

        public Table(StringBuilder text, string[] head)
        {
            _text = text;
            text.Append($"| {string.Join(" | ", head)} |\n| --- |{string.Concat(Enumerable.Repeat(" --: |", head.Length - 1))}\n");
        }

        public void Row(params string[] cells) => _text.Append($"| {string.Join(" | ", cells.Select(Escape))} |\n");
    }
}
