using Nibble.Files;
using Nibble.Formats;
using Nibble.Quantization;

namespace Nibble.Tests.Quantization;

/// <summary>Mixtures of experts: one tensor holds a matrix for each, and each has an importance of its own.</summary>
public class TensorImportanceTests
{
    private const int Columns = 256, Rows = 6, Experts = 4;
    private const string Name = "blk.0.ffn_down_exps.weight";

    [Theory]
    [InlineData("Q4_K_S", "Q4_K")]
    [InlineData("IQ2_XXS", "IQ2_XXS")]
    [InlineData("IQ1_S", "IQ1_S")]
    public void Each_expert_is_quantized_as_if_it_were_alone(string recipe, string format)
    {
        (float[] values, float[] importance) = Random();
        byte[] actual = Quantize(recipe, format, values, importance);
        Assert.True(WeightFormat.TryParse(format, out WeightFormat? type));
        int bytes = (int)type.ByteSize(Columns * Rows);
        for (int e = 0; e < Experts; e++)
        {
            byte[] expected = new byte[bytes];
            type.Quantize(values.AsSpan(e * Columns * Rows, Columns * Rows), importance.AsSpan(e * Columns, Columns), expected);
            Assert.Equal(expected, actual[(e * bytes)..((e + 1) * bytes)]);
        }
    }

    [Fact]
    public void One_vector_for_all_experts_counts_for_each()
    {
        (float[] values, float[] importance) = Random();
        float[] shared = importance[..Columns];
        Assert.Equal(Quantize("Q4_K_S", "Q4_K", values, [.. shared, .. shared, .. shared, .. shared]), Quantize("Q4_K_S", "Q4_K", values, shared));
    }

    [Theory]
    [InlineData(Columns - 1)]
    [InlineData(Columns * 2)]
    [InlineData(Columns * Experts + 1)]
    public void Another_number_of_values_is_refused(int length)
    {
        (float[] values, _) = Random();
        string message = Assert.Throws<NibbleException>(() => Quantize("Q4_K_S", "Q4_K", values, new float[length])).Message;
        Assert.Contains(Name, message, StringComparison.Ordinal);
        Assert.Contains("4 experts", message, StringComparison.Ordinal);
    }

    private static (float[] Values, float[] Importance) Random()
    {
        Random random = new(11);
        return ([.. Enumerable.Range(0, Columns * Rows * Experts).Select(_ => random.NextSingle() - 0.5f)], [.. Enumerable.Range(0, Columns * Experts).Select(_ => MathF.Exp(4 * random.NextSingle()))]);
    }

    private static byte[] Quantize(string recipe, string format, float[] values, float[] importance)
    {
        using TemporaryFolder folder = new();
        GgufModel model = new("llama");
        model.With("block_count", MetadataValue.Of(1u)).With("expert_count", MetadataValue.Of((uint)Experts));
        model.AddExperts(Name, values, Columns, Rows);
        using ModelFile source = ModelFile.Open(model.Save(folder.At("model.gguf")));
        QuantizationPlan plan = QuantizationPlan.Create(source, Recipe.Parse(recipe), new() { Importance = new Dictionary<string, float[]> { [Name] = importance } });
        Quantizer.Write(source, plan, folder.At("out.gguf"), threads: 2);
        using ModelFile result = ModelFile.Open(folder.At("out.gguf"));
        Assert.Equal(format, result.Tensors[0].TypeName);
        return result.Read(result.Tensors[0]).AsSpan<byte>().ToArray();
    }
}
