using System.Globalization;
using System.Text.Json;
using Nibble.Evaluation.Comparison;
using Nibble.Evaluation.Comparison.Charts;
using Nibble.Evaluation.Comparison.Running;
using Nibble.Evaluation.Comparison.Writing;

namespace Nibble.Tests.Evaluation.Comparison;

public sealed class ReportWritersTests
{
    [Fact]
    public void A_report_read_back_is_the_same()
    {
        using TemporaryFolder folder = new();
        ComparisonReport report = SampleReport.Create();
        ReportFiles.Write(report, folder.Path, new());
        Assert.Equal(["report.csv", "report.html", "report.json", "report.md"], folder.Names);
        ComparisonReport read = ReportJson.Read(folder.At("report.json"));
        Assert.Equal(ReportJson.Write(report), ReportJson.Write(read));
        Assert.Equal(report.Variants[3].Divergence, read.Variants[3].Divergence);
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(folder.At("report.json")));
        Assert.Equal(0.0282, json.RootElement.GetProperty("variants")[3].GetProperty("divergence").GetProperty("meanKld").GetProperty("value").GetDouble(), 1e-12);
    }

    [Fact]
    public void What_is_no_report_is_refused()
    {
        using TemporaryFolder folder = new();
        foreach (string text in (string[])["", "{", "[]", "{\"form\":1}", "{\"form\":99}"])
            Assert.Contains("report.json", Assert.Throws<NibbleException>(() => ReportJson.Read(folder.Write("report.json", text))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_table_has_a_line_for_each_model_and_the_same_columns_in_all()
    {
        ComparisonReport report = SampleReport.Create(name: "a,\"b\"");
        string[] lines = CsvReport.Write(report).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2 + report.Variants.Count, lines.Length);
        string[][] rows = [.. lines.Select(Cells)];
        Assert.All(rows, row => Assert.Equal(rows[0].Length, row.Length));
        Assert.Equal("a,\"b\"", rows[1][0]);
        int kld = Array.IndexOf(rows[0], "mean_kld"), task = Array.IndexOf(rows[0], "piqa_low");
        for (int v = 0; v < report.Variants.Count; v++)
        {
            Assert.Equal(report.Variants[v].Divergence.MeanKld.Value, double.Parse(rows[v + 2][kld], CultureInfo.InvariantCulture), 1e-9);
            Assert.Equal(report.Variants[v].Tasks.Single(t => t.Task == "piqa").Low, double.Parse(rows[v + 2][task], CultureInfo.InvariantCulture), 1e-9);
        }
    }

    [Theory]
    [InlineData("=1+1")]
    [InlineData("+x")]
    [InlineData("-x")]
    [InlineData("@sum")]
    public void A_spreadsheet_computes_no_name(string name) =>
        Assert.Contains($"\r\n'{name},", CsvReport.Write(SampleReport.Create(name: name)), StringComparison.Ordinal);

    [Fact]
    public void Markdown_keeps_names_from_becoming_markup_and_tables_whole()
    {
        string text = MarkdownReport.Write(SampleReport.Create(name: "a|b*c*<img>\n# x"));
        Assert.DoesNotContain("<img>", text.Replace("\\<img\\>", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.DoesNotContain("\n# x", text, StringComparison.Ordinal);
        string[] table = [.. text.Split('\n').SkipWhile(l => !l.StartsWith("| variant", StringComparison.Ordinal)).TakeWhile(l => l.StartsWith('|'))];
        Assert.Equal(2 + 8, table.Length);
        Assert.All(table, line => Assert.Equal(10, line.Replace("\\|", "", StringComparison.Ordinal).Count(c => c == '|')));
    }

    [Fact]
    public void The_front_has_what_nothing_beats()
    {
        // By hand: (3, 3) is beaten by (2, 2); (4, 2) is as near as (2, 2) but larger; of two that are the same both stay.
        Assert.Equal([true, true, false, false, true, true, false], ParetoFront.Find([(1, 4), (2, 2), (3, 3), (4, 2), (5, 1), (5, 1), (1, double.NaN)]));
    }

    [Theory]
    [InlineData(1.0242, 0.0016, "+2.4 ± 0.3 %")]
    [InlineData(0.999, 0.0006, "−0.10 ± 0.12 %")]
    [InlineData(1.0, 0.0, "+0.00 ± 0.00 %")]
    [InlineData(1.387, 0.02, "+39 ± 4 %")]
    [InlineData(1.5, double.NaN, "+50.0 %")]
    [InlineData(63.04, 2.5, "×63 ± 5")]
    public void A_change_has_as_many_digits_as_its_uncertainty_lets_mean_something(double ratio, double error, string expected) => Assert.Equal(expected, Figures.Change(new(ratio, error)));

    [Fact]
    public void Ticks_are_round_and_within_the_axis()
    {
        Assert.Equal([0, 10, 20, 30, 40], Scale.Linear([0, 42], 0, 100).Ticks(5));
        Assert.Equal([0.01, 0.1, 1], Scale.Logarithmic([0.005, 2], 0, 100).Ticks(3));
        Scale scale = Scale.Logarithmic([0.01, 1], 0, 100);
        Assert.Equal(50, scale.At(0.1), 1e-9);
        Assert.Equal(0, scale.At(0), 1e-9); // nothing is drawn outside
    }

    [Fact]
    public void A_map_has_the_layers_that_occur()
    {
        VariantReport variant = SampleReport.Create().Variants[0] with { Tensors = [new("blk.0.attn_q.weight", "Q8_0", 0.01), new("blk.400000000.attn_q.weight", "Q8_0", 0.02)] };
        string map = new HeatMap([variant]).Draw(variant).ToString();
        Assert.Contains("data-columns=\"2\"", map, StringComparison.Ordinal);
        Assert.Contains("attn_q, layer 400000000", map, StringComparison.Ordinal);
    }

    [Fact]
    public void Variants_are_read_together_as_far_as_memory_goes()
    {
        Assert.Equal([[0, 1, 2]], DivergenceStage.Groups(100, [50, 40, 30], null));
        // 0.8 · 250 − 100 = 100 for variants.
        Assert.Equal([[0, 1], [2]], DivergenceStage.Groups(100, [50, 40, 30], 250));
        Assert.Equal([[0], [1], [2]], DivergenceStage.Groups(100, [50, 40, 30], 10)); // one at a time whatever happens
    }

    private static string[] Cells(string line)
    {
        List<string> cells = [""];
        bool quoted = false;
        for (int i = 0; i < line.Length; i++)
        {
            if (quoted && line[i] == '"' && i + 1 < line.Length && line[i + 1] == '"') cells[^1] += line[i++];
            else if (line[i] == '"') quoted = !quoted;
            else if (line[i] == ',' && !quoted) cells.Add("");
            else cells[^1] += line[i];
        }
        return [.. cells];
    }
}
