using Nibble.Cli.Commands;
using Nibble.Evaluation.Comparison;
using Nibble.Evaluation.Comparison.Running;
using Nibble.Tests.Evaluation.Comparison;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Nibble.Tests.Cli;

/// <summary>What <c>nibble compare</c> shows on terminals of several widths.</summary>
public sealed class ComparisonTableTests
{
    [Theory]
    [InlineData(80, 2)]
    [InlineData(120, 2)]
    [InlineData(140, 1)]
    public void Every_figure_of_the_result_is_on_one_line_whole(int width, int tables)
    {
        ComparisonReport report = SampleReport.Create();
        string[][] lines = [.. ComparisonTable.Tables(report, width).Select(t => Lines(t.Render(), width))];
        Assert.Equal(tables, lines.Length);
        foreach (VariantReport v in report.Variants)
        {
            string own = string.Concat(lines.Select(table => Assert.Single(table, line => line.Contains($" {v.Model.Name} ", StringComparison.Ordinal))));
            foreach (string figure in (string[])[Figures.Bytes(v.Model.Bytes), Figures.Change(v.Divergence.PerplexityRatio), Figures.WithInterval(v.Divergence.MeanKld), Figures.PercentWithInterval(v.Divergence.TopChanged),
                Figures.Rate(v.Model.Speed!.Prompt.Median), Figures.Rate(v.Model.Speed.Generation.Median), Figures.Bytes(v.Model.Speed.RunBytes)])
                Assert.Contains(figure, own, StringComparison.Ordinal);
        }
        Assert.All(lines.SelectMany(table => table), line => Assert.True(line.Length <= width, line));
    }

    [Theory]
    [InlineData(80)]
    [InlineData(300)]
    public void Every_task_is_shown_with_each_variants_difference_and_its_interval(int width)
    {
        ComparisonReport report = SampleReport.Create();
        string[][] lines = [.. ComparisonTable.TaskTables(report, width).Select(t => Lines(t.Render(), width))];
        Assert.NotEmpty(report.Tasks);
        foreach ((int t, ComparedTask task) in report.Tasks.Index())
        {
            string[] table = Assert.Single(lines, table => table.Any(line => line.Contains($" {task.Name} ", StringComparison.Ordinal) || line.EndsWith($" {task.Name}", StringComparison.Ordinal)));
            Assert.Contains(table, line => line.Contains(Figures.Percent(task.Score.Value), StringComparison.Ordinal));
            foreach (VariantReport v in report.Variants)
            {
                string difference = Figures.Points(v.Tasks[t].Difference, v.Tasks[t].Low, v.Tasks[t].High).Replace(" points", "", StringComparison.Ordinal);
                Assert.Contains(difference, Assert.Single(table, line => line.Contains($" {v.Model.Name} ", StringComparison.Ordinal)), StringComparison.Ordinal);
            }
        }
        Assert.All(lines.SelectMany(table => table), line => Assert.True(line.Length <= width, line));
    }

    [Fact]
    public void What_was_not_measured_has_no_column()
    {
        ComparisonReport report = SampleReport.Create();
        report = report with { Base = report.Base with { Speed = null }, Variants = [.. report.Variants.Select(v => v with { Model = v.Model with { Speed = null } })] };
        foreach (int width in (int[])[80, 140])
        {
            string text = string.Concat(ComparisonTable.Tables(report, width).SelectMany(t => Lines(t.Render(), width)));
            Assert.DoesNotContain("tokens/s", text, StringComparison.Ordinal);
            Assert.DoesNotContain("memory", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Long_names_keep_their_ends_and_nothing_is_cut_off_at_80_columns()
    {
        string[] names = ["base", .. Enumerable.Range(0, 20).Select(i => $"Some-Organization-Model-With-A-Long-Name-8B-Instruct-v{i:00}-Q4_K_M")];
        ComparisonProgress progress = new(0.5, TimeSpan.FromMinutes(12), "20 variants: window 17 of 64 and a text that goes on for longer than the terminal is wide", [.. names.Select(name => new ComparisonRow(name)
        {
            Bytes = 123_456_789_012, PerplexityRatio = new(12.345, 0.1), MeanKld = new(0.0001234, 0.00001), TopChanged = new(0.999, 0.01), IsDone = true, GeneratedPerSecond = 12345,
        })]);
        string[] lines = Lines(ComparisonTable.Render(progress, 80), 80);
        Assert.All(lines, line => Assert.True(line.Length <= 80, line));
        Assert.Equal(20, lines.Count(line => line.Contains("Q4_K_M", StringComparison.Ordinal) && line.Contains("+1134.50 %", StringComparison.Ordinal) && line.Contains("0.000123", StringComparison.Ordinal) && line.Contains("99.9 %", StringComparison.Ordinal) && line.Contains("12345 t/s", StringComparison.Ordinal)));
        Assert.Contains(lines, line => line.Contains("50 %, 12 min 0 s left", StringComparison.Ordinal));
    }

    private static string[] Lines(IRenderable shown, int width)
    {
        using StringWriter writer = new();
        IAnsiConsole console = AnsiConsole.Create(new() { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors, Out = new AnsiConsoleOutput(writer) });
        console.Profile.Width = width;
        console.Write(shown);
        return [.. writer.ToString().Split('\n').Select(line => line.TrimEnd())];
    }
}
