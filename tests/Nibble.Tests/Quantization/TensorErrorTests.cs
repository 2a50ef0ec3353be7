using Nibble.Files;
using Nibble.Quantization;

namespace Nibble.Tests.Quantization;

public class TensorErrorTests
{
    private const string Name = "blk.0.attn_q.weight";

    [Theory]
    [InlineData("Q8_0")]
    [InlineData("Q6_K")]
    [InlineData("Q4_K_M")]
    [InlineData("Q4_0")]
    [InlineData("Q2_K")]
    [InlineData("F16")]
    public void The_errors_are_those_of_the_written_file(string level)
    {
        using TemporaryFolder folder = new();
        using ModelFile source = ModelFile.Open(SampleModel.At("F32"));
        QuantizationResult outcome = Quantizer.Write(source, QuantizationPlan.Create(source, Recipe.Parse(level)), folder.At("out.gguf"));
        using ModelFile result = ModelFile.Open(folder.At("out.gguf"));
        Assert.Equal(outcome.Plan.Tensors.Count, outcome.Errors.Count);
        int measured = 0;
        foreach ((PlannedTensor tensor, TensorError? error) in outcome.Plan.Tensors.Zip(outcome.Errors))
        {
            Assert.Equal(tensor.IsConverted, error is not null);
            if (error is null) continue;
            Assert.Same(tensor, error.Tensor);
            float[] before = Values(source, tensor.Source), after = Values(result, tensor.Target);
            decimal difference = 0, beforeSquares = 0, afterSquares = 0, product = 0; // exact enough to be the truth
            for (int i = 0; i < before.Length; i++)
            {
                decimal x = (decimal)(double)before[i], y = (decimal)(double)after[i];
                difference += (x - y) * (x - y);
                beforeSquares += x * x;
                afterSquares += y * y;
                product += x * y;
            }
            Assert.Equal(Math.Sqrt((double)(difference / beforeSquares)), error.Relative, 1e-9);
            Assert.Equal((double)product / Math.Sqrt((double)beforeSquares * (double)afterSquares), error.Cosine, 1e-9);
            Assert.False(error.IsSuspicious, $"{tensor.Source.Name} as {tensor.Target.Format}: {error.Relative}");
            measured++;
        }
        Assert.Equal(30, measured);
    }

    [Theory]
    [InlineData("Q4_K_M")]
    [InlineData("Q5_0")]
    public void Errors_do_not_depend_on_the_number_of_threads(string level)
    {
        using TemporaryFolder folder = new();
        using ModelFile source = ModelFile.Open(SampleModel.At("F32"));
        QuantizationPlan plan = QuantizationPlan.Create(source, Recipe.Parse(level));
        IReadOnlyList<TensorError?> expected = Quantizer.Write(source, plan, folder.At("1.gguf"), threads: 1).Errors;
        foreach (int threads in new[] { 2, 3, 8 })
            Assert.Equal(expected, Quantizer.Write(source, plan, folder.At($"{threads}.gguf"), threads: threads).Errors); // records: equal to the last bit
    }

    [Fact]
    public void Without_checking_there_are_the_same_bytes_and_no_errors()
    {
        using TemporaryFolder folder = new();
        using ModelFile source = ModelFile.Open(SampleModel.At("F32"));
        QuantizationResult outcome = Quantizer.Write(source, QuantizationPlan.Create(source, Recipe.Parse("Q4_K_M"), new() { Check = false }), folder.At("out.gguf"));
        Assert.All(outcome.Errors, Assert.Null);
        Assert.Null(outcome.Worst);
        Assert.Equal(File.ReadAllBytes(SampleModel.At("Q4_K_M")), File.ReadAllBytes(folder.At("out.gguf")));
        Assert.Throws<NibbleException>(() => Quantizer.Write(source, QuantizationPlan.Create(source, Recipe.Parse("Q4_K_M"), new() { Check = false, MaxError = 1 }), folder.At("no.gguf")));
        Assert.Equal(["out.gguf"], folder.Names);
    }

    [Fact]
    public void Zeros_have_no_error()
    {
        using TemporaryFolder folder = new();
        TensorError error = Assert.Single(Convert(folder, new float[512], "Q4_0", QuantizationOptions.Default).Errors)!;
        Assert.Equal((0.0, 1.0, false), (error.Relative, error.Cosine, error.IsSuspicious));
    }

    [Fact]
    public void Weights_too_small_for_the_scales_of_their_type_are_suspicious()
    {
        using TemporaryFolder folder = new();
        float[] values = [.. Enumerable.Range(0, 4096).Select(i => 1e-6f * MathF.Sin(i))]; // 1e-6 / 127 is zero in half precision
        TensorError error = Assert.Single(Convert(folder, values, "Q8_0", QuantizationOptions.Default).Errors)!;
        Assert.Equal((1.0, 0.0, true), (error.Relative, error.Cosine, error.IsSuspicious));
        Assert.InRange(error.Usual, 0.004, 0.008);
    }

    [Theory]
    [InlineData("Q4_0", 0.01, true)]
    [InlineData("Q4_0", 0.2, false)]
    public void An_error_above_the_limit_leaves_no_file(string level, double limit, bool refused)
    {
        using TemporaryFolder folder = new();
        using ModelFile source = ModelFile.Open(SampleModel.At("F32"));
        QuantizationPlan plan = QuantizationPlan.Create(source, Recipe.Parse(level), new() { MaxError = limit });
        if (!refused)
        {
            QuantizationResult outcome = Quantizer.Write(source, plan, folder.At("out.gguf"));
            Assert.Equal(outcome.Errors.Max(e => e?.Relative), outcome.Worst!.Relative);
            return;
        }
        ExcessiveErrorException e = Assert.Throws<ExcessiveErrorException>(() => Quantizer.Write(source, plan, folder.At("out.gguf")));
        Assert.StartsWith(source.Path, e.Message, StringComparison.Ordinal);
        Assert.Contains(e.Worst.Tensor.Source.Name, e.Message, StringComparison.Ordinal);
        Assert.True(e.Worst.Relative > limit);
        Assert.Empty(folder.Names);
    }

    [Theory]
    [InlineData("Q8_0", float.NaN)]
    [InlineData("Q4_K_M", float.NaN)]
    [InlineData("Q4_K_M", float.PositiveInfinity)]
    [InlineData("BF16", float.NaN)]
    [InlineData("F16", float.NegativeInfinity)]
    public void Values_that_are_no_numbers_are_written_where_allowed(string level, float value)
    {
        using TemporaryFolder folder = new();
        float[] values = [.. Enumerable.Range(0, 1024).Select(i => MathF.Sin(i))];
        values[700] = value;
        TensorError error = Assert.Single(Convert(folder, values, level, new() { AllowNan = true }).Errors)!;
        using ModelFile result = ModelFile.Open(folder.At("out.gguf"));
        Assert.Equal(1024, result.Tensors[0].Count);
        if (level.EndsWith("F16", StringComparison.Ordinal))
        {
            Assert.Equal(value, Values(result, result.Tensors[0])[700]);
            Assert.InRange(error.Relative, 1e-5, 3e-3); // of the others
        }
    }

    private static QuantizationResult Convert(TemporaryFolder folder, float[] values, string level, QuantizationOptions options)
    {
        GgufModel model = new("llama");
        model.Add(Name, values, 256, values.Length / 256);
        using ModelFile source = ModelFile.Open(model.Save(folder.At("model.gguf")));
        return Quantizer.Write(source, QuantizationPlan.Create(source, Recipe.Parse(level), options), folder.At("out.gguf"));
    }

    private static float[] Values(ModelFile file, TensorInfo tensor)
    {
        float[] values = new float[tensor.Count];
        tensor.Format!.Dequantize(file.Read(file.Tensors.Single(t => t.Name == tensor.Name), 0, tensor.Rows).AsSpan<byte>(), values);
        return values;
    }
}
