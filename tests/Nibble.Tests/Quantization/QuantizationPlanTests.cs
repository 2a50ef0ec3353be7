using System.Text.Json;
using Nibble.Files;
using Nibble.Quantization;

namespace Nibble.Tests.Quantization;

public class QuantizationPlanTests
{
    [Fact]
    public void Tensors_outside_the_layers_come_first_then_layer_by_layer()
    {
        using ModelFile file = ModelFile.Open(Shared.Find("golden/deep.gguf"));
        string[] names = [.. QuantizationPlan.Create(file, Recipe.Parse("Q4_K_M")).Tensors.Select(t => t.Target.Name)];
        Assert.Equal(["output.weight", "output_norm.weight", "token_embd.weight", "blk.0.attn_k.weight"], names[..4]);
        int[] layers = [.. names.Skip(3).Select(n => int.Parse(n.Split('.')[1], System.Globalization.CultureInfo.InvariantCulture))];
        Assert.Equal(layers.Order(), layers); // 2 before 10
        Assert.Equal(15, layers[^1]);
    }

    [Fact]
    public void The_new_file_says_what_it_is()
    {
        using ModelFile file = ModelFile.Open(SampleModel.At("F32"));
        QuantizationPlan plan = QuantizationPlan.Create(file, Recipe.Parse("Q5_K_S"));
        Assert.Equal(16, plan.Metadata.Integer("general.file_type"));
        Assert.Equal(2, plan.Metadata.Integer("general.quantization_version"));
        Assert.Equal(0, file.Metadata.Integer("general.file_type"));
    }

    [Theory]
    [InlineData("Q8_0")]
    [InlineData("Q4_K_M")]
    [InlineData("Q2_K")]
    [InlineData("F16")]
    public void Sizes_are_those_of_the_finished_file(string level)
    {
        using JsonDocument manifest = JsonDocument.Parse(File.ReadAllText(Shared.Find("golden/tiny-manifest.json")));
        using ModelFile file = ModelFile.Open(SampleModel.At("F32")), result = ModelFile.Open(SampleModel.At(level));
        QuantizationPlan plan = QuantizationPlan.Create(file, Recipe.Parse(level));
        Assert.Equal(result.Tensors.Sum(t => t.Bytes), plan.TargetBytes);
        Assert.Equal(file.Tensors.Sum(t => t.Bytes), plan.SourceBytes);
        Assert.Equal(8.0 * plan.TargetBytes / 5_245_184, plan.BitsPerWeight, 1e-9);
        // The listed size includes a header of 2 to 200 kB, which differs by metadata.
        long listed = manifest.RootElement.GetProperty("recipes").GetProperty(level).GetProperty("bytes").GetInt64();
        Assert.InRange(listed - plan.TargetBytes, 0, 200_000);
    }

    [Fact]
    public void A_model_without_tensors_is_refused()
    {
        using TemporaryFolder folder = new();
        using ModelFile file = ModelFile.Open(new GgufModel("llama").Save(folder.At("empty.gguf")));
        Assert.StartsWith(file.Path, Assert.Throws<NibbleException>(() => QuantizationPlan.Create(file, Recipe.Parse("Q4_0"))).Message, StringComparison.Ordinal);
    }
}
