using System.Security.Cryptography;
using System.Text.Json;
using Nibble.Files;
using Nibble.Quantization;

namespace Nibble.Tests.Quantization;

/// <summary>Whole models quantized: type and bytes of every tensor are those that llama.cpp writes.</summary>
public class ManifestTests
{
    private static readonly string[] s_models = ["tiny", "odd", "deep"];

    public static TheoryData<string, string> Levels
    {
        get
        {
            TheoryData<string, string> levels = [];
            foreach (string model in s_models)
            {
                // F32 is what the models are made of; the manifests do not list it.
                foreach (Recipe recipe in Recipe.All.Where(r => r.Name != "F32")) levels.Add(model, recipe.Name);
                foreach (string name in new[] { "Q4_K_M", "Q3_K_M", "Q2_K", "Q5_K_M", "Q6_K" }) levels.Add(model, name + ".imatrix");
            }
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
            Quantizer.Write(source, QuantizationPlan.Create(source, recipe, hasImportance), path, hasImportance ? Importance(model) : null);

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
