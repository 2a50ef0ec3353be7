using System.Diagnostics;
using Nibble.Cli.Terminal;
using Nibble.Evaluation;
using Nibble.Evaluation.Comparison;
using Nibble.Evaluation.Comparison.Running;
using Nibble.Evaluation.Comparison.Writing;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Nibble.Cli.Commands;

/// <summary>What <c>nibble compare</c> shows: while it works a live table with a bar, elsewhere than on a terminal plain lines; then the result.</summary>
internal static class ComparisonTable
{
    private const int BarWidth = 30;

    /// <summary>Columns of a terminal on which all figures have room; on a narrower one some are left to the report.</summary>
    private const int Wide = 104;

    /// <summary>More often nobody can read it.</summary>
    private static readonly TimeSpan s_betweenFrames = TimeSpan.FromMilliseconds(120);

    /// <summary>Runs <paramref name="work"/> while its progress is shown.</summary>
    public static ComparisonReport Show(Func<IProgress<ComparisonProgress>, ComparisonReport> work)
    {
        if (!Screen.IsLive)
            return ProgressDisplay.Run("Comparing:", show => work(new SynchronousProgress<ComparisonProgress>(p => show(new Step(p.Fraction, p.Text)))));
        ComparisonReport report = null!;
        Screen.Out.Live(new Text("")).AutoClear(true).Start(live =>
        {
            Stopwatch clock = Stopwatch.StartNew();
            TimeSpan next = default;
            report = work(new SynchronousProgress<ComparisonProgress>(p =>
            {
                if (clock.Elapsed < next) return;
                next = clock.Elapsed + s_betweenFrames;
                live.UpdateTarget(Render(p, clock.Elapsed));
            }));
        });
        return report;
    }

    /// <summary>Prints the result and where it is.</summary>
    public static void Print(ComparisonReport report, string folder)
    {
        TextTable table = new(report.Base.Name, [.. Head, "verdict"], textColumns: 1, textColumnsAtEnd: 1);
        table.Add([.. Cells(report.Base.Name, report.Base.Bytes, Figures.WithInterval(report.Base.Perplexity), null, null, report.Base.Speed?.Generation.Median), "the original"]);
        foreach (VariantReport v in report.Variants)
        {
            table.Add([.. Cells(v.Model.Name, v.Model.Bytes, Figures.Change(v.Divergence.PerplexityRatio), v.Divergence.MeanKld, v.Divergence.TopChanged, v.Model.Speed?.Generation.Median),
                v.Model.Name == report.Recommendation.Variant ? "recommended" : Verdicts.Words(v.Verdict)]);
        }
        table.Print(asMarkdown: false);
        Screen.Print(report.Recommendation.Headline);
        foreach (string reason in report.Recommendation.Reasons) Screen.Print($"  {reason}");
        Screen.Print("");
        Screen.Print($"± is half a 95 % interval. wrote {string.Join(", ", ReportFiles.In(folder))}");
    }

    private static Rows Render(ComparisonProgress progress, TimeSpan elapsed)
    {
        Table table = new Table().Border(TableBorder.Simple);
        foreach ((int index, string name) in Head.Index()) table.AddColumn(index == 0 ? new TableColumn(name) : new TableColumn(name).RightAligned());
        table.AddColumn("");
        foreach (ComparisonRow row in progress.Rows)
        {
            string perplexity = row.PerplexityRatio is { } ratio ? Figures.Change(ratio) : "";
            table.AddRow([.. Cells(row.Name, row.Bytes, perplexity, row.MeanKld, row.TopChanged, row.GeneratedPerSecond).Append(row.IsDone ? "done" : row.State).Select(Markup.Escape)]);
        }
        int filled = (int)(progress.Fraction * BarWidth);
        string left = progress.Fraction > 0.02 ? $", {ProgressDisplay.Duration(elapsed * (1 / progress.Fraction - 1))} left" : "";
        IEnumerable<IRenderable> parts = [table, new Text($"{new string('█', filled)}{new string('░', BarWidth - filled)} {Figures.WholePercent(progress.Fraction)}{left}  {Format.Printable(progress.Text)}")];
        return new Rows(parts);
    }

    private static bool IsWide => Screen.Out.Profile.Width >= Wide;

    private static string[] Head => IsWide ? ["variant", "size", "perplexity", "KL divergence", "top changed", "tokens/s"] : ["variant", "size", "perplexity", "KL divergence"];

    /// <summary>The cells of a model under <see cref="Head"/>.</summary>
    private static string[] Cells(string name, long? bytes, string perplexity, Estimate? kld, Estimate? changed, double? rate)
    {
        string[] first = [name, bytes is { } known ? Figures.Bytes(known) : "", perplexity, kld is { } divergence ? Figures.WithInterval(divergence) : ""];
        return IsWide ? [.. first, changed is { } share ? Figures.PercentWithInterval(share) : "", Rate(rate)] : first;
    }

    private static string Rate(double? tokensPerSecond) => tokensPerSecond is { } rate ? Figures.Rate(rate) : "";
}
