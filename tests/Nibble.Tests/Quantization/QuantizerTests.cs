using System.Security.Cryptography;
using Nibble.Files;
using Nibble.Quantization;

namespace Nibble.Tests.Quantization;

public class QuantizerTests
{
    [Theory]
    [InlineData("Q4_K_M")]
    [InlineData("Q5_0")]
    public void The_file_does_not_depend_on_the_number_of_threads(string level)
    {
        using TemporaryFolder folder = new();
        using ModelFile source = ModelFile.Open(SampleModel.At("F32"));
        byte[] expected = SHA256.HashData(File.ReadAllBytes(SampleModel.At(level)));
        foreach (int threads in new[] { 1, 2, 5 })
        {
            string path = folder.At($"{threads}.gguf");
            Quantizer.Write(source, QuantizationPlan.Create(source, Recipe.Parse(level)), path, threads: threads);
            Assert.Equal(expected, SHA256.HashData(File.ReadAllBytes(path)));
        }
    }

    [Fact]
    public async Task A_program_quantizes_a_file_in_one_call()
    {
        using TemporaryFolder folder = new();
        QuantizationResult result = await Quantizer.QuantizeAsync(SampleModel.At("F32"), "q4_0", folder.At("out.gguf"));
        Assert.Equal("Q4_0", result.Plan.Recipe.Name);
        Assert.InRange(result.Worst!.Relative, 0.05, 0.15); // of Q4_0 on ordinary weights
        Assert.Equal(["out.gguf"], folder.Names);
        Assert.Equal(File.ReadAllBytes(SampleModel.At("Q4_0")), File.ReadAllBytes(folder.At("out.gguf")));
    }

    [Fact]
    public void Progress_grows_to_the_whole()
    {
        using TemporaryFolder folder = new();
        using ModelFile source = ModelFile.Open(SampleModel.At("F32"));
        Steps steps = new();
        QuantizationPlan plan = QuantizationPlan.Create(source, Recipe.Parse("Q8_0"));
        Quantizer.Write(source, plan, folder.At("out.gguf"), progress: steps);
        Assert.Equal(steps.Seen.OrderBy(s => s.ValuesDone), steps.Seen);
        Assert.Equal(plan.Tensors, steps.Seen.Select(s => s.Tensor).Distinct());
        Assert.Equal(source.Tensors.Sum(t => t.Count), steps.Seen[^1].ValuesTotal);
        Assert.Equal(steps.Seen[^1].ValuesTotal, steps.Seen[^1].ValuesDone);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(20)]
    public async Task Stopping_leaves_no_file_and_an_older_one_as_it_was(int steps)
    {
        using TemporaryFolder folder = new();
        folder.Write("old.gguf", "old");
        foreach (string name in new[] { "new.gguf", "old.gguf" })
        {
            using CancellationTokenSource stop = new();
            if (steps == 0) await stop.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Quantizer.QuantizeAsync(SampleModel.At("F32"), "Q4_K_M", folder.At(name), new StopAfter(steps, stop), stop.Token));
        }
        Assert.Equal(["old.gguf"], folder.Names);
        Assert.Equal("old", File.ReadAllText(folder.At("old.gguf")));
    }

    [Fact]
    public void A_quantized_model_is_refused_unless_allowed()
    {
        using TemporaryFolder folder = new();
        using ModelFile source = ModelFile.Open(SampleModel.At("Q8_0"));
        string message = Assert.Throws<NibbleException>(() => QuantizationPlan.Create(source, Recipe.Parse("Q4_K_M"))).Message;
        Assert.StartsWith(source.Path, message, StringComparison.Ordinal);
        Assert.Contains("--allow-requantize", message, StringComparison.Ordinal);

        // Unchanged types are no second loss.
        Assert.All(QuantizationPlan.Create(source, Recipe.Parse("Q8_0")).Tensors, t => Assert.False(t.IsConverted));
        Quantizer.Write(source, QuantizationPlan.Create(source, Recipe.Parse("Q4_K_M"), new() { AllowRequantize = true }), folder.At("out.gguf"));
        using ModelFile result = ModelFile.Open(folder.At("out.gguf"));
        Assert.Equal(new ContentLevel("Q4_K_M", true), ContentLevel.Of(result));
    }

    [Fact]
    public void A_file_may_be_replaced_by_its_quantized_self()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows does not replace a file that is open");
        using TemporaryFolder folder = new();
        string path = folder.At("model.gguf");
        File.Copy(SampleModel.At("F32"), path);
        using (ModelFile source = ModelFile.Open(path)) Quantizer.Write(source, QuantizationPlan.Create(source, Recipe.Parse("Q6_K")), path);
        Assert.Equal(["model.gguf"], folder.Names);
        Assert.Equal(File.ReadAllBytes(SampleModel.At("Q6_K")), File.ReadAllBytes(path));
    }

    [Fact]
    public void Importance_of_another_length_is_refused_and_leaves_no_file()
    {
        using TemporaryFolder folder = new();
        using ModelFile source = ModelFile.Open(SampleModel.At("F32"));
        Dictionary<string, float[]> importance = new() { ["blk.2.ffn_down.weight"] = new float[767] };
        string message = Assert.Throws<NibbleException>(() =>
            Quantizer.Write(source, QuantizationPlan.Create(source, Recipe.Parse("Q4_K_M"), new() { Importance = importance }), folder.At("out.gguf"))).Message;
        Assert.Contains("blk.2.ffn_down.weight", message, StringComparison.Ordinal);
        Assert.Contains("767", message, StringComparison.Ordinal);
        Assert.Empty(folder.Names);
    }

    [Theory]
    [InlineData("Q4_K_M", float.NaN)]
    [InlineData("Q8_0", float.NegativeInfinity)]
    [InlineData("BF16", float.NaN)]
    [InlineData("F16", -70_000)]
    public void Values_that_would_be_lost_are_refused_and_leave_no_file(string level, float value)
    {
        using TemporaryFolder folder = new();
        GgufModel model = new("llama");
        float[] values = new float[256 * 300];
        values[256 * 299 + 3] = value;
        model.Add("blk.0.attn_q.weight", values, 256, 300);
        string path = model.Save(folder.At("model.gguf"));
        using ModelFile source = ModelFile.Open(path);
        string message = Assert.Throws<NibbleException>(() => Quantizer.Write(source, QuantizationPlan.Create(source, Recipe.Parse(level)), folder.At("out.gguf"))).Message;
        Assert.StartsWith(path, message, StringComparison.Ordinal);
        Assert.Contains("blk.0.attn_q.weight", message, StringComparison.Ordinal);
        Assert.Equal(["model.gguf"], folder.Names);
    }

    private sealed class Steps : IProgress<QuantizationProgress>
    {
        public List<QuantizationProgress> Seen { get; } = [];

        public void Report(QuantizationProgress value) => Seen.Add(value);
    }

    private sealed class StopAfter(int steps, CancellationTokenSource stop) : IProgress<QuantizationProgress>
    {
        private int _seen;

        public void Report(QuantizationProgress value)
        {
            if (++_seen == steps) stop.Cancel();
        }
    }
}
