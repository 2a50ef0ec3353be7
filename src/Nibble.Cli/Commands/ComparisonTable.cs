using System.Diagnostics;
using Nibble.Cli.Terminal;
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

    /// <summary>Letters of a name that tell files apart, on a terminal however narrow; and those that are worth a table of its own for the rest.</summary>
    private const int ShortName = 10, LongName = 24;

    /// <summary>More often nobody can read it.</summary>
    private static readonly TimeSpan s_betweenFrames = TimeSpan.FromMilliseconds(120);

    /// <summary>Runs <paramref name="work"/> while its progress is shown.</summary>
    public static ComparisonReport Show(Func<IProgress<ComparisonProgress>, ComparisonReport> work)
    {
        if (!Screen.IsLive)
            return ProgressDisplay.Run("Comparing:", show => work(new SynchronousProgress<ComparisonProgress>(p => show(new Step(p.Fraction, p.Text) { Left = p.Left }))));
        ComparisonReport report = null!;
        Screen.Out.Live(new Text("")).AutoClear(true).Start(live =>
        {
            Stopwatch clock = Stopwatch.StartNew();
            TimeSpan next = default;
            report = work(new SynchronousProgress<ComparisonProgress>(p =>
            {
                if (clock.Elapsed < next) return;
                next = clock.Elapsed + s_betweenFrames;
                live.UpdateTarget(Render(p, Screen.Out.Profile.Width));
            }));
        });
        return report;
    }

    /// <summary>Prints the result and where it is.</summary>
    public static void Print(ComparisonReport report, string folder, bool hasCards)
    {
        foreach (TextTable table in Tables(report, Screen.Out.Profile.Width).Concat(TaskTables(report, Screen.Out.Profile.Width))) table.Print(asMarkdown: false);
        Screen.Print(report.Recommendation.Headline);
        foreach (string reason in report.Recommendation.Reasons) Screen.Print($"  {reason}");
        Screen.Print("");
        Screen.Print($"± is half a 95 % interval. wrote {string.Join(", ", ReportFiles.In(folder))}");
        if (hasCards) Screen.Print("what was measured is in the files themselves too, each with a card beside it (NAME.gguf.md)");
    }

    /// <summary>The result as one table, or as two where it has not the room.</summary>
    /// <param name="report">The result.</param>
    /// <param name="width">Columns of the terminal.</param>
    internal static IReadOnlyList<TextTable> Tables(ComparisonReport report, int width)
    {
        string[] more = ["top changed", .. report.Base.Speed is null ? (string[])[] : ["prompt/s", "tokens/s", "memory"]];
        TextTable one = new(report.Base.Name, ["variant", "size", "perplexity", "KL divergence", .. more, "verdict"], textColumns: 1, textColumnsAtEnd: 1);
        TextTable first = new(report.Base.Name, ["variant", "size", "perplexity", "KL divergence", "verdict"], textColumns: 1, textColumnsAtEnd: 1), second = new(null, ["variant", .. more], textColumns: 1);
        Add(report.Base, Figures.WithInterval(report.Base.Perplexity), null, "the original");
        foreach (VariantReport v in report.Variants)
            Add(v.Model, Figures.Change(v.Divergence.PerplexityRatio), v.Divergence, v.Model.Name == report.Recommendation.Variant ? "recommended" : Verdicts.Words(v.Verdict));
        int longest = report.Variants.Select(v => v.Model).Prepend(report.Base).Max(m => m.Name.Length);
        IReadOnlyList<TextTable> tables = RoomIn(one) >= Math.Min(longest, LongName) ? [one] : [first, second];
        int room = tables.Min(RoomIn);
        foreach (TextTable table in tables) table.ShortenNames(Math.Max(ShortName, room));
        return tables;

        int RoomIn(TextTable table) => width - table.LeastWidth + "variant".Length;

        void Add(ComparedModel model, string perplexity, DivergenceFigures? divergence, string verdict)
        {
            string[] figures = [Figures.Bytes(model.Bytes), perplexity, divergence is null ? "" : Figures.WithInterval(divergence.MeanKld)];
            string[] others = [divergence is null ? "" : Figures.PercentWithInterval(divergence.TopChanged), .. report.Base.Speed is null ? [] : Speed(model.Speed)];
            one.Add([model.Name, .. figures, .. others, verdict]);
            first.Add([model.Name, .. figures, verdict]);
            second.Add([model.Name, .. others]);
        }
    }

    /// <summary>The tasks, of which as many stand side by side as there is room for: the base's right answers, and by how many points the variants differ.</summary>
    /// <param name="report">The result.</param>
    /// <param name="width">Columns of the terminal.</param>
    internal static IEnumerable<TextTable> TaskTables(ComparisonReport report, int width)
    {
        int longest = Math.Min(LongName, report.Variants.Select(v => v.Model).Prepend(report.Base).Max(m => m.Name.Length));
        string[][] columns = [.. report.Tasks.Select((task, t) => (string[])[task.Name, Figures.Percent(task.Score.Value),
            .. report.Variants.Select(v => $"{Figures.Signed(100 * v.Tasks[t].Difference, 1)} ({Figures.Signed(100 * v.Tasks[t].Low, 1)} to {Figures.Signed(100 * v.Tasks[t].High, 1)})")])];
        for (int first = 0, count; first < columns.Length; first += count)
        {
            count = 1;
            while (first + count < columns.Length && TextTable.WidthOf(count + 2, longest + columns[first..(first + count + 1)].Sum(c => c.Max(cell => cell.Length))) <= width) count++;
            string[][] shown = columns[first..(first + count)];
            TextTable table = new(first == 0 ? "right answers, and differences to them in points (95 %)" : null, ["variant", .. shown.Select(c => c[0])], textColumns: 1);
            foreach ((int row, string name) in report.Variants.Select(v => v.Model.Name).Prepend(report.Base.Name).Index()) table.Add([name, .. shown.Select(c => c[row + 1])]);
            table.ShortenNames(Math.Max(ShortName, longest));
            yield return table;
        }
    }

    /// <summary>The live table: figures without their intervals, which change with every window.</summary>
    /// <param name="progress">How far it is.</param>
    /// <param name="width">Columns of the terminal.</param>
    internal static IRenderable Render(ComparisonProgress progress, int width)
    {
        string[] head = ["variant", "size", "perplexity", "KL div.", "changed", ""];
        string[][] rows = [.. progress.Rows.Select(row => (string[])
        [
            row.Name, row.Bytes is { } bytes ? Figures.Bytes(bytes) : "", row.PerplexityRatio is { } ratio ? $"{Figures.Signed(100 * (ratio.Value - 1), 2)} %" : "",
            row.MeanKld is { } kld ? Figures.ThreeDigits(kld.Value) : "", row.TopChanged is { } changed ? Figures.Percent(changed.Value) : "",
            row is { IsDone: true, GeneratedPerSecond: { } rate } ? $"{Figures.Rate(rate)} t/s" : row.IsDone ? "done" : row.State,
        ])];
        Table table = new Table().Border(TableBorder.Simple);
        foreach ((int index, string name) in head.Index()) table.AddColumn(index is 0 or 5 ? new TableColumn(name).NoWrap() : new TableColumn(name).RightAligned().NoWrap());
        int room = width - TextTable.WidthOf(head.Length, Enumerable.Range(1, head.Length - 1).Sum(c => Math.Max(head[c].Length, rows.Max(row => row[c].Length))));
        foreach (string[] row in rows) table.AddRow([.. row.Select((cell, c) => Markup.Escape(c == 0 ? TextTable.Shortened(cell, Math.Max(ShortName, room)) : cell))]);
        int filled = (int)(progress.Fraction * BarWidth);
        string line = $"{new string('█', filled)}{new string('░', BarWidth - filled)} {Figures.WholePercent(progress.Fraction)}, {ProgressDisplay.Duration(progress.Left)} left  {Format.Printable(progress.Text)}";
        return new Rows(table, new Text(line.Length <= width ? line : string.Concat(line.AsSpan(0, Math.Max(1, width - 1)), "…")));
    }

    private static string[] Speed(SpeedFigures? speed) => speed is null ? ["", "", ""] : [Figures.Rate(speed.Prompt.Median), Figures.Rate(speed.Generation.Median), Figures.Bytes(speed.RunBytes)];
}
