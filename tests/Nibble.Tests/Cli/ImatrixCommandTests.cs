using System.Diagnostics;
using System.Text.Json;
using Nibble.Quantization.Importance;

namespace Nibble.Tests.Cli;

public class ImatrixCommandTests
{
    private static readonly string s_text = Path.Combine(Shared.TinyModel, "sample.txt");

    [Fact]
    public async Task A_run_that_was_killed_goes_on_and_gives_the_same_file()
    {
        using TemporaryFolder folder = new();
        string[] arguments = ["imatrix", SampleModel.At("F32"), "--text", s_text, "--ctx", "32", "--chunks", "120", "--output-frequency", "2", "-o"];
        NibbleProcess.Run([.. arguments, folder.At("whole.gguf")]).Success();
        Assert.Equal(["whole.gguf"], folder.Names);

        using (Process process = NibbleProcess.Start([.. arguments, folder.At("killed.gguf"), "-t", "1"]))
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
            while (!File.Exists(folder.At("killed.gguf.checkpoint")) && !process.HasExited) await Task.Delay(5);
            process.Kill();
            NibbleProcess.Finish(process, output, error);
        }
        Assert.False(File.Exists(folder.At("killed.gguf")));
        // Another text or window does not go on from there, nor throws it away.
        string other = folder.Write("other.txt", File.ReadAllText(s_text)[1..]);
        File.Copy(folder.At("killed.gguf.checkpoint"), folder.At("other.gguf.checkpoint"));
        foreach ((string text, string window, string chunks, string part) in new[] { (other, "32", "200", "on another text"), (s_text, "16", "200", "windows of 32 tokens"), (s_text, "32", "1", "more than --chunks 1") })
            Assert.Contains(part, NibbleProcess.Run("imatrix", SampleModel.At("F32"), "--text", text, "--ctx", window, "--chunks", chunks, "-o", folder.At("other.gguf")).Refusal(), StringComparison.Ordinal);

        // The same model elsewhere does.
        File.Copy(SampleModel.At("F32"), folder.At("moved.gguf"));
        arguments[1] = folder.At("moved.gguf");
        NibbleResult resumed = NibbleProcess.Run([.. arguments, folder.At("killed.gguf"), "-t", "2"]).Success();
        Assert.Contains("going on after ", resumed.Error, StringComparison.Ordinal);
        Assert.Equal(File.ReadAllBytes(folder.At("whole.gguf")), File.ReadAllBytes(folder.At("killed.gguf")));
        Assert.False(File.Exists(folder.At("killed.gguf.checkpoint")));
    }

    [Fact]
    public void Files_are_merged_and_the_result_told_as_json()
    {
        using TemporaryFolder folder = new();
        NibbleProcess.Run("imatrix", SampleModel.At("F32"), "--text", s_text, "--ctx", "32", "--chunks", "2", "-o", folder.At("a.gguf")).Success();
        NibbleResult result = NibbleProcess.Run("imatrix", "--in-file", folder.At("a.gguf"), "--in-file", folder.At("a.gguf"), "-o", folder.At("b.gguf"), "--json").Success();
        using JsonDocument json = JsonDocument.Parse(result.Output);
        Assert.Equal((28, 4, 32), (json.RootElement.GetProperty("entries").GetInt32(), json.RootElement.GetProperty("chunks").GetInt32(), json.RootElement.GetProperty("ctx").GetInt32()));
        ImportanceMatrix once = ImportanceFile.Read(folder.At("a.gguf")), twice = ImportanceFile.Read(folder.At("b.gguf"));
        foreach ((string name, ImportanceEntry entry) in once.Entries)
        {
            Assert.Equal(entry.Sums.Select(s => 2 * s), twice.Entries[name].Sums);
            Assert.Equal([2L * 64], twice.Entries[name].Counts);
        }
    }

    [Fact]
    public void Windows_of_several_lengths_count_as_so_many_of_the_longest()
    {
        ImportanceMatrix sum = new();
        sum.Merge(new ImportanceMatrix { Chunks = 4, ChunkLength = 32 });
        sum.Merge(new ImportanceMatrix { Chunks = 3, ChunkLength = 128 });
        Assert.Equal((4, 128), (sum.Chunks, sum.ChunkLength));
    }

    [Fact]
    public async Task A_run_that_is_stopped_says_what_it_keeps()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("signals are sent with kill");
        using TemporaryFolder folder = new();
        using Process process = NibbleProcess.Start(["imatrix", SampleModel.At("F32"), "--text", s_text, "--ctx", "16", "--output-frequency", "1", "-o", folder.At("i.gguf"), "-t", "1"]);
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        while (!File.Exists(folder.At("i.gguf.checkpoint")) && !process.HasExited) await Task.Delay(1);
        using (Process kill = Process.Start("kill", ["-INT", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)])) kill.WaitForExit();
        NibbleResult result = NibbleProcess.Finish(process, output, error);
        Assert.Equal(130, result.ExitCode);
        Assert.Matches("stopped; (1 window is|[0-9]+ windows are) kept; the same command goes on from there", result.Error);
        Assert.Equal(["i.gguf.checkpoint"], folder.Names);
    }

    [Fact]
    public void A_model_is_not_overwritten_by_way_of_a_link()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("links need a privilege there");
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(folder.At("real"));
        File.Copy(SampleModel.At("F32"), folder.At("real/model.gguf"));
        Directory.CreateSymbolicLink(folder.At("link"), folder.At("real"));
        Assert.Contains("is the model that is read", NibbleProcess.Run("imatrix", folder.At("real/model.gguf"), "--text", s_text, "-o", folder.At("link/model.gguf")).Refusal(), StringComparison.Ordinal);
        Assert.Contains("is the model that is read", NibbleProcess.Run("quantize", folder.At("link/model.gguf"), "Q4_0", "-o", folder.At("real/model.gguf")).Refusal(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("model.gguf", "is the model that is read")]
    [InlineData("text.txt", "is what --text reads")]
    [InlineData("model", "is the model that is read")]
    public void Nothing_is_written_over_what_it_is_collected_from(string output, string part)
    {
        using TemporaryFolder folder = new();
        string model = folder.At(output == "model" ? "model.checkpoint" : "model.gguf"), text = folder.At("text.txt");
        File.Copy(SampleModel.At("F32"), model);
        File.Copy(s_text, text);
        string[] names = folder.Names;
        Assert.Contains(part, NibbleProcess.Run("imatrix", model, "--text", text, "--ctx", "32", "--chunks", "2", "-o", folder.At(output)).Refusal(), StringComparison.Ordinal);
        Assert.Equal(names, folder.Names);
        Assert.Equal(File.ReadAllBytes(SampleModel.At("F32")), File.ReadAllBytes(model));
        Assert.Equal(File.ReadAllBytes(s_text), File.ReadAllBytes(text));
    }

    [Theory]
    [InlineData("imatrix", "--in-file")]
    [InlineData("imatrix MODEL", "--text")]
    [InlineData("imatrix MODEL --text TEXT --output-frequency 0", "--output-frequency")]
    [InlineData("imatrix MODEL --text TEXT --chunks 0", "--chunks")]
    [InlineData("imatrix MODEL --text TEXT --ctx 9999", "--ctx")]
    [InlineData("imatrix MODEL --text TEXT -o EMPTY", "--output is empty")]
    [InlineData("imatrix MODEL --text TEXT -o /nowhere/i.gguf", "the folder /nowhere does not exist")]
    [InlineData("imatrix --in-file TEXT", "sample.txt")]
    [InlineData("imatrix MODEL --text MODEL", "is not UTF-8 text")]
    [InlineData("imatrix --in-file TEXT --in-file MODEL -o MODEL", "is what --in-file reads")]
    [InlineData("quantize MODEL Q4_0 --calibrate MODEL", "is not UTF-8 text")]
    [InlineData("quantize MODEL Q4_0 --imatrix TEXT", "sample.txt")]
    public void What_makes_no_sense_is_refused_in_one_line(string line, string part)
    {
        using TemporaryFolder folder = new();
        string[] arguments = [.. line.Split(' ').Select(word => word switch { "MODEL" => SampleModel.At("F32"), "TEXT" => s_text, "EMPTY" => "", _ => word })];
        if (!arguments.Contains("-o")) arguments = [.. arguments, "-o", folder.At("out.gguf")];
        Assert.Contains(part, NibbleProcess.Run(arguments).Refusal(), StringComparison.Ordinal);
        Assert.Empty(folder.Names);
    }
}
