using System.Security.Cryptography;
using Nibble.Files;
using Nibble.Files.Gguf;
using Nibble.Formats;
using Nibble.Generation;
using Nibble.Quantization;

namespace Nibble.Tests.Quantization;

/// <summary>Formats that store something once per tensor, through a file and back.</summary>
public class TensorTailsTests
{
    [Fact]
    public void A_level_with_tails_is_known_again_and_has_the_size_that_was_promised()
    {
        using ModelFile source = ModelFile.Open(SampleModel.At("F32")), result = ModelFile.Open(SampleModel.At("K4_CB"));
        QuantizationPlan plan = QuantizationPlan.Create(source, Recipe.Parse("k4_cb"));
        Assert.Equal(new FileInfo(result.Path).Length, GgufWriter.SizeOf(plan.Metadata, [.. plan.Tensors.Select(t => t.Target)]));
        Assert.Equal(new ContentLevel("K4_CB", true), ContentLevel.Of(result));
        TensorInfo tensor = result.Find("blk.1.ffn_up.weight")!;
        Assert.Equal(tensor.Count / 256 * 130 + 16, tensor.Bytes);
        Assert.Equal(130, tensor.RowBytes);
        Assert.Equal(16, result.ReadTail(tensor).Length);
        Assert.Equal(result.ReadTail(tensor), result.Read(tensor).AsSpan<byte>()[^16..]);
        Assert.Empty(result.ReadTail(result.Find("output_norm.weight")!));
    }

    [Fact]
    public void The_bytes_do_not_depend_on_the_number_of_threads()
    {
        using TemporaryFolder folder = new();
        using ModelFile source = ModelFile.Open(SampleModel.At("F32"));
        byte[] expected = SHA256.HashData(File.ReadAllBytes(SampleModel.At("K4_CB")));
        foreach (int threads in new[] { 1, 3 })
        {
            Quantizer.Write(source, QuantizationPlan.Create(source, Recipe.Parse("K4_CB")), folder.At("out.gguf"), threads: threads);
            Assert.Equal(expected, SHA256.HashData(File.ReadAllBytes(folder.At("out.gguf"))));
        }
    }

    [Fact]
    public void Tails_stay_with_their_tensor_when_it_is_copied_renamed_or_converted_back()
    {
        using TemporaryFolder folder = new();
        using ModelFile source = ModelFile.Open(SampleModel.At("K4_CB"));
        Quantizer.Write(source, QuantizationPlan.Create(source, Recipe.Parse("K4_CB"), new() { PrunedLayers = new HashSet<int> { 1 } }), folder.At("pruned.gguf"));
        Quantizer.Write(source, QuantizationPlan.Create(source, Recipe.Parse("F32"), new() { AllowRequantize = true }), folder.At("back.gguf"));
        using ModelFile pruned = ModelFile.Open(folder.At("pruned.gguf")), back = ModelFile.Open(folder.At("back.gguf"));
        foreach (string name in new[] { "attn_q", "ffn_down" })
        {
            TensorInfo before = source.Find($"blk.2.{name}.weight")!, after = pruned.Find($"blk.1.{name}.weight")!;
            Assert.Equal(source.Read(before).AsSpan<byte>(), pruned.Read(after).AsSpan<byte>());
            float[] expected = new float[before.Count], actual = new float[before.Count];
            before.Format!.Dequantize(source.Read(before).AsSpan<byte>(), expected);
            WeightFormat.Of<F32>().Dequantize(back.Read(back.Find(before.Name)!).AsSpan<byte>(), actual);
            Assert.Equal(expected, actual);
        }
    }

    [Fact]
    public void A_model_with_learned_levels_runs_as_its_dequantized_self_does()
    {
        using TemporaryFolder folder = new();
        using (ModelFile source = ModelFile.Open(SampleModel.At("K4_CB")))
            Quantizer.Write(source, QuantizationPlan.Create(source, Recipe.Parse("F32"), new() { AllowRequantize = true }), folder.At("back.gguf"));
        using LanguageModel stored = SampleModel.Open("K4_CB"), plain = LanguageModel.Open(folder.At("back.gguf"), 1);
        Assert.Equal(Text(plain), Text(stored));

        // Activations are rounded to 8 bits in one and not in the other; over 24 tokens no choice is that close.
        static string Text(LanguageModel model)
        {
            using TextGenerator generator = new(model, model.ContextFor(null));
            return model.Tokenizer.Decode([.. generator.Generate(model.Tokenizer.Encode("Once upon a time"), new() { Temperature = 0, MaxTokens = 24 })]);
        }
    }

    [Fact]
    public void A_single_tensor_can_have_learned_levels_and_a_row_that_does_not_fit_gets_smaller_blocks()
    {
        using TemporaryFolder folder = new();
        using ModelFile source = ModelFile.Open(SampleModel.At("F32"));
        QuantizationPlan plan = QuantizationPlan.Create(source, Recipe.Parse("Q8_0"), new() { Rules = [TensorRule.ForNames("attn_v=K4_CB")] });
        QuantizationResult result = Quantizer.Write(source, plan, folder.At("out.gguf"));
        Assert.All(result.Errors.Where(e => e?.Tensor.Target.TypeName == "K4_CB"), e => Assert.InRange(e!.Relative, 0.05, 0.1));
        Assert.Equal(4, plan.Tensors.Count(t => t.Target.TypeName == "K4_CB"));
        Assert.Equal(WeightFormat.Of<IQ4_NL>(), Recipe.FitToRow(WeightFormat.Of<K4_CB>(), 96));
    }

    [Fact]
    public void A_file_that_ends_before_the_last_tail_is_refused()
    {
        using TemporaryFolder folder = new();
        byte[] whole = File.ReadAllBytes(SampleModel.At("K4_CB"));
        using ModelFile file = ModelFile.Open(SampleModel.At("K4_CB"));
        Assert.Equal("K4_CB", file.Tensors[^1].TypeName);
        string path = folder.At("short.gguf");
        File.WriteAllBytes(path, whole[..^17]);
        Assert.Contains("truncated", Assert.Throws<NibbleException>(() => ModelFile.Open(path)).Message, StringComparison.Ordinal);
    }
}
