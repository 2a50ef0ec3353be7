using System.Text.Json;

namespace Nibble.Tests.Cli;

public sealed class CompareCommandTests
{
    [Fact]
    public void It_writes_the_report_and_prints_the_recommendation()
    {
        using TemporaryFolder folder = new();
        string text = Path.Combine(Shared.TinyModel, "sample.txt"), report = folder.At("report");
        NibbleResult result = NibbleProcess.Run("compare", SampleModel.At("F32"), "--types", "Q8_0,Q4_0", "--files", SampleModel.At("Q2_K"), "--text", text, "--ctx", "128", "--windows", "12", "--no-speed", "-o", report).Success();
        foreach (string name in (string[])["Q8_0", "Q4_0", "tiny-Q2_K"]) Assert.Contains(name, result.Output, StringComparison.Ordinal);
        Assert.Contains("% of the size", result.Output, StringComparison.Ordinal);
        foreach (string name in (string[])["report.html", "report.md", "report.json", "report.csv", "tiny-Q8_0.gguf", "tiny-Q4_0.gguf"]) Assert.True(File.Exists(Path.Combine(report, name)), name);
        // Only what was made is in the folder, not the file that was there.
        Assert.False(File.Exists(Path.Combine(report, "tiny-Q2_K.gguf")));

        NibbleResult again = NibbleProcess.Run("compare", SampleModel.At("F32"), "--types", "Q8_0,Q4_0", "--files", SampleModel.At("Q2_K"), "--text", text, "--ctx", "128", "--windows", "12", "--no-speed", "-o", report, "--json").Success();
        using JsonDocument json = JsonDocument.Parse(again.Output);
        Assert.Equal(3, json.RootElement.GetProperty("variants").GetArrayLength());
        Assert.Equal(12, json.RootElement.GetProperty("text").GetProperty("windows").GetInt32());
    }

    [Theory]
    [InlineData("--types Q9_9", "Q4_K_M")] // known names are listed
    [InlineData("--types Q8_0 --tasks chess", "arc_easy")]
    [InlineData("--types Q8_0 --windows 0", "--windows")]
    [InlineData("--types Q8_0 --ctx 100000", "--ctx")]
    [InlineData("--files none.gguf", "none.gguf")]
    [InlineData("--types Q8_0 --no-speed --fresh-speed", "--fresh-speed")]
    [InlineData("--types IQ2_XXS", "--calibrate")]
    [InlineData("--types IQ2_XXS --imatrix none.gguf", "none.gguf")]
    [InlineData("--files none.gguf --imatrix none.dat", "--types")]
    [InlineData("--types Q8_0 -o /dev/null/report", "/dev/null/report")]
    public void What_makes_no_sense_is_refused_and_nothing_is_written(string options, string part)
    {
        using TemporaryFolder folder = new();
        string error = NibbleProcess.Run(["compare", SampleModel.At("F32"), "--text", Path.Combine(Shared.TinyModel, "sample.txt"), .. options.Contains("-o", StringComparison.Ordinal) ? (string[])[] : ["-o", folder.At("report")], .. options.Split(' ')], "", folder.Path).Refusal();
        Assert.Contains(part, error, StringComparison.Ordinal);
        Assert.Empty(folder.Names);
    }

    [Fact]
    public void An_empty_text_is_named()
    {
        using TemporaryFolder folder = new();
        string empty = folder.Write("empty.txt", "");
        Assert.Contains(empty, NibbleProcess.Run("compare", SampleModel.At("F32"), "--text", empty, "-o", folder.At("report")).Refusal(), StringComparison.Ordinal);
        Assert.Equal(["empty.txt"], folder.Names);
    }
}
