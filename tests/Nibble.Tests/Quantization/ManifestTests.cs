using System.Security.Cryptography;
using System.Text.Json;
using Nibble.Files;
using Nibble.Quantization;

namespace Nibble.Tests.Quantization;

/// <summary>Whole models quantized: type and bytes of every tensor are those that llama.cpp writes.</summary>
public class ManifestTests
{
    private static readonly string[] s_models = ["tiny", "odd", "deep"];

    // What the manifests list.
    private static readonly string[] s_plain =
    [
        "BF16", "F16", "IQ3_M", "IQ3_S", "IQ4_NL", "IQ4_XS", "Q2_K", "Q3_K_L", "Q3_K_M", "Q3_K_S", "Q4_0", "Q4_1", "Q4_K_M", "Q4_K_S", "Q5_0", "Q5_1",
        "Q5_K_M", "Q5_K_S", "Q6_K", "Q8_0", "TQ1_0", "TQ2_0",
    ];

    private static readonly string[] s_weighed =
    [
        "IQ1_M", "IQ1_S", "IQ2_M", "IQ2_S", "IQ2_XS", "IQ2_XXS", "IQ3_M", "IQ3_XXS", "IQ4_NL", "IQ4_XS", "Q2_K", "Q2_K_S", "Q3_K_M", "Q4_K_M", "Q5_K_M", "Q6_K",
    ];

    public static TheoryData<string, string> Levels
    {
        get
        {
            TheoryData<string, string> levels = [];
            foreach (string model in s_models)
            {
                foreach (string name in s_plain) levels.Add(model, name);
                foreach (string name in s_weighed) levels.Add(model, name + ".imatrix");
            }
            // No row of the odd model fills a block of 256, so these need no importance there.
            levels.Add("odd", "IQ3_XS");
            levels.Add("odd", "IQ3_XXS");
            return levels;
        }
    }

    [Theory]
    [MemberData(nameof(Levels))]
    public void Types_and_bytes_are_the_expected_ones(string model, string level)
    {
        using JsonDocument manifest = JsonDocument.Parse(File.ReadAllText(Shared.Find($"golden/{model}-manifest.json")));
        JsonElement expected = manifest.RootElement.GetProperty("recipes").GetProperty(level).GetProperty("tensors");
        bool hasImportance = level.EndsWith(".imatrix", StringComparison.Ordinal);
        Recipe recipe = Recipe.Parse(level.Replace(".imatrix", "", StringComparison.Ordinal));

        using TemporaryFolder folder = new();
        string path = folder.At("out.gguf");
        using (ModelFile source = ModelFile.Open(model == "tiny" ? SampleModel.At("F32") : Shared.Find($"golden/{model}.gguf")))
            Quantizer.Write(source, QuantizationPlan.Create(source, recipe, new() { Importance = hasImportance ? Importance(model) : null }), path);

        using ModelFile result = ModelFile.Open(path);
        Assert.Equal(expected.EnumerateObject().Select(t => t.Name).Order(StringComparer.Ordinal), result.Tensors.Select(t => t.Name).Order(StringComparer.Ordinal));
        List<string> wrong = [];
        foreach (JsonProperty tensor in expected.EnumerateObject())
        {
            TensorInfo actual = result.Find(tensor.Name)!;
            Assert.Equal(tensor.Value.GetProperty("shape").EnumerateArray().Select(n => n.GetInt64()), actual.Dimensions);
            string hash = Convert.ToHexStringLower(SHA256.HashData(result.Read(actual).AsSpan<byte>()));
            if (tensor.Value.GetProperty("type").GetString() != actual.TypeName || tensor.Value.GetProperty("sha256").GetString() != hash)
                wrong.Add($"{tensor.Name} {tensor.Value.GetProperty("type")} is {actual.TypeName}");
        }
        Assert.Empty(wrong);
        Assert.Equal((uint)recipe.FileType, result.Metadata.Integer("general.file_type"));
    }

    private static Dictionary<string, float[]> Importance(string model)
    {
        GoldenTensors golden = GoldenTensors.Read(Shared.Find($"golden/{model}-imatrix.safetensors"));
        return golden.Names.ToDictionary(name => name, name => golden.Floats(name).ToArray());
    }
}
