using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Nibble.Files;
using Nibble.Quantization;

namespace Nibble.Tests.Cli;

public class SplitAndResumeTests
{
    [Fact]
    public void A_dry_run_foretells_the_parts_of_a_conversion_and_any_part_runs()
    {
        using TemporaryFolder folder = new();
        string[] quantize = ["quantize", Shared.TinyModel, "Q8_0", "--split-max-size", "2M", "-o", folder.At("q.gguf")];
        string preview = NibbleProcess.Run([.. quantize, "--dry-run"]).Success().Output;
        Assert.Empty(folder.Names);
        string done = NibbleProcess.Run(quantize).Success().Output;
        string[] parts = [.. done.Split('\n').Where(line => line.StartsWith("part ", StringComparison.Ordinal))];
        Assert.Equal(folder.Names.Length, parts.Length);
        Assert.Equal(parts, preview.Split('\n').Where(line => line.StartsWith("part ", StringComparison.Ordinal)));
        Assert.All(folder.Names, name => Assert.True(new FileInfo(folder.At(name)).Length <= 2_000_000));
        NibbleProcess.Run("run", folder.At(folder.Names[^1]), "Hello", "-n", "3").Success();

        using JsonDocument converted = JsonDocument.Parse(NibbleProcess.Run("convert", Shared.TinyModel, "--split-max-size", "1m", "-o", folder.At("c"), "--json").Success().Output);
        JsonElement[] files = [.. converted.RootElement.GetProperty("parts").EnumerateArray()];
        Assert.Equal(folder.At($"c-00001-of-{files.Length:00000}.gguf"), files[0].GetProperty("file").GetString());
        Assert.All(files, file => Assert.Equal(new FileInfo(file.GetProperty("file").GetString()!).Length, file.GetProperty("bytes").GetInt64()));
        Assert.Equal(39, files.Sum(file => file.GetProperty("tensors").GetInt32()));
    }

    [Fact]
    public void Parts_are_called_after_the_model_and_a_large_tensor_is_told_of()
    {
        using TemporaryFolder folder = new();
        File.Copy(SampleModel.At("F32"), folder.At("tiny-F32.gguf"));
        string done = NibbleProcess.Run("quantize", folder.At("tiny-F32.gguf"), "F16", "--split-max-size", "2M").Success().Output;
        Assert.Contains("token_embd.weight cannot be cut", done, StringComparison.Ordinal);
        string part = folder.Names.First(name => name.StartsWith("tiny-F16-00001-of-", StringComparison.Ordinal));
        int parts = folder.Names.Length - 1;
        NibbleProcess.Run("quantize", folder.At(part), "Q4_0", "--keep-split").Success();
        Assert.Equal(parts, folder.Names.Count(name => name.StartsWith("tiny-Q4_0-0", StringComparison.Ordinal)));
        NibbleProcess.Run("quantize", folder.At(part), "Q4_0").Success();
        Assert.Contains("tiny-Q4_0.gguf", folder.Names);
        // Not over what is read, whichever part was named.
        Assert.Contains("--output", NibbleProcess.Run("quantize", folder.At(part), "Q4_0", "--keep-split", "-o", folder.At("tiny-F16.gguf")).Refusal(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--split-max-size 5")]
    [InlineData("--split-max-size 0M")]
    [InlineData("--split-max-size 1.5G")]
    [InlineData("--split-max-size -1G")]
    [InlineData("--split-max-size 99999999999G")]
    [InlineData("--split-max-tensors 0")]
    [InlineData("--split-max-tensors many")]
    [InlineData("--keep-split")]
    public void A_split_that_makes_no_sense_is_refused_in_one_line(string option)
    {
        using TemporaryFolder folder = new();
        NibbleProcess.Run(["quantize", SampleModel.At("F32"), "Q4_0", .. option.Split(' '), "-o", folder.At("out.gguf")]).Refusal();
        Assert.Empty(folder.Names);
    }

    [Theory]
    [InlineData("-KILL", 137)]
    [InlineData("-INT", 130)]
    public async Task A_run_that_was_killed_or_stopped_goes_on(string signal, int exitCode)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "signals are sent with kill");
        using TemporaryFolder folder = new();
        string source = WriteSlow(folder);
        string[] arguments = ["quantize", source, "IQ3_S", "--split-max-tensors", "7", "-o", folder.At("out.gguf"), "--resume", "-t", "1", "--json"];
        using Process process = NibbleProcess.Start(arguments);
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        // Until some tensors are finished: a line of the journal has at least 150 characters.
        FileInfo journal = new(folder.At(".out.partial.journal"));
        for (int i = 0; i < 3000 && !(journal.Exists && journal.Length > 2000); i++)
        {
            await Task.Delay(10, TestContext.Current.CancellationToken);
            journal.Refresh();
        }
        using (Process kill = Process.Start("kill", [signal, process.Id.ToString(CultureInfo.InvariantCulture)])) await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
        NibbleResult stopped = NibbleProcess.Finish(process, output, error);
        Assert.True(stopped.ExitCode == exitCode, $"exit code {stopped.ExitCode}: {stopped.Error}");
        if (exitCode == 130) Assert.EndsWith("nibble: stopped; finished tensors are kept, continue with --resume\n", stopped.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(folder.Names, name => name.StartsWith("out", StringComparison.Ordinal));

        using JsonDocument result = JsonDocument.Parse(NibbleProcess.Run(arguments).Success().Output);
        Assert.InRange(result.RootElement.GetProperty("keptTensors").GetInt32(), 5, 29);
        Assert.All(result.RootElement.GetProperty("tensors").EnumerateArray(), t => Assert.InRange(t.GetProperty("relativeError").GetDouble(), 0.01, 0.5));
        using TemporaryFolder expected = new();
        using ModelFile file = ModelFile.Open(source);
        Quantizer.Write(file, QuantizationPlan.Create(file, Recipe.Parse("IQ3_S"), new() { Split = new() { MaxTensors = 7 } }), expected.At("out.gguf"));
        Assert.Equal([.. expected.Names, "source.gguf"], folder.Names);
        Assert.All(expected.Names, name => Assert.Equal(File.ReadAllBytes(expected.At(name)), File.ReadAllBytes(folder.At(name))));
    }

    /// <summary>A model that takes some seconds in a format whose values are searched for long.</summary>
    private static string WriteSlow(TemporaryFolder folder)
    {
        GgufModel model = new("llama");
        Random random = new(3);
        float[] values = [.. Enumerable.Range(0, 256 * 512).Select(_ => random.NextSingle() + random.NextSingle() - 1)];
        for (int layer = 0; layer < 30; layer++) model.Add($"blk.{layer}.ffn_gate.weight", values, 256, 512);
        return model.Save(folder.At("source.gguf"));
    }
}
