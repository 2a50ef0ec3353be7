using System.Security.Cryptography;
using System.Text.Json;
using Nibble.Files;
using Nibble.Files.Gguf;
using Nibble.Formats;
using Nibble.Quantization;
using Nibble.Quantization.Recipes;
using Nibble.Tests.Files;
using Nibble.Tests.Files.Gguf;

namespace Nibble.Tests.Quantization.Recipes;

public class RecipeFileTests
{
    [Fact]
    public void What_a_recipe_says_again_gives_the_same_bytes()
    {
        using TemporaryFolder folder = new();
        using ModelFile source = ModelFile.Open(SampleModel.At("F32"));
        Dictionary<string, float[]> importance = source.Tensors.ToDictionary(t => t.Name, t => Enumerable.Range(1, (int)t.Columns).Select(i => 1f / i).ToArray());
        QuantizationOptions options = new()
        {
            PrunedLayers = new HashSet<int> { 1 },
            Rules = [TensorRule.ForNames("attn_v=Q8_0"), .. TensorRule.ForLayers("last:1=Q6_K")],
            Metadata = [new("a.number", MetadataValue.Of(7u)), new("a.text", MetadataValue.Of("x: \"y\"\n")), new("a.number", MetadataValue.Of(0.1f))],
            Importance = importance,
        };
        RecipeImportance origin = new(new HashedFile("i.gguf", new string('0', 64)), ["attn"], ["ffn", "é"], new(new HashedFile("t.txt", new string('1', 64)), 512, 7));
        RecipeFile made = Make(source, QuantizationPlan.Create(source, Recipe.Parse("IQ2_M"), options), folder.At("a.gguf"), origin);
        made.Write(folder.At("r.json"));

        RecipeFile read = RecipeFile.Read(folder.At("r.json"));
        read.Write(folder.At("again.json"));
        Assert.Equal(File.ReadAllText(folder.At("r.json")), File.ReadAllText(folder.At("again.json")));
        Assert.Equal(made.Tensors, read.Tensors);
        Assert.Equal("blk.2.attn_v.weight", read.Tensors.Single(t => t.Name == "blk.1.attn_v.weight").SourceName);
        Assert.Equal((origin.Matrix, origin.Calibration), (read.Importance!.Matrix, read.Importance.Calibration));
        Assert.Equal([.. origin.Include, .. origin.Exclude], [.. read.Importance.Include, .. read.Importance.Exclude]);

        read.CheckInputs(source);
        Quantizer.Write(source, QuantizationPlan.Create(source, read.Recipe, read.Options(importance)), folder.At("b.gguf"));
        Assert.Equal(File.ReadAllBytes(folder.At("a.gguf")), File.ReadAllBytes(folder.At("b.gguf")));
        Assert.Null(read.Compare(folder.At("b.gguf")));
    }

    [Theory]
    [InlineData(900_000L, null)]
    [InlineData(5_000_000_000L, 7)]
    public void A_split_result_is_made_again_in_the_same_parts(long? maxBytes, int? maxTensors)
    {
        using TemporaryFolder folder = new();
        using ModelFile source = ModelFile.Open(SampleModel.At("F32"));
        RecipeFile made = Make(source, QuantizationPlan.Create(source, Recipe.Parse("Q4_K_M"), new() { Split = new() { MaxBytes = maxBytes, MaxTensors = maxTensors } }), folder.At("a.gguf"));
        made.Write(folder.At("r.json"));
        string[] parts = [.. folder.Names.Where(name => name.StartsWith("a-", StringComparison.Ordinal))];
        Assert.True(parts.Length > 1);
        Assert.Equal(parts, made.Outputs.Select(f => f.Name));

        RecipeFile read = RecipeFile.Read(folder.At("r.json"));
        Assert.Equal(new SplitOptions { MaxBytes = maxBytes, MaxTensors = maxTensors }, read.Split);
        QuantizationPlan plan = QuantizationPlan.Create(source, read.Recipe, read.Options(importance: null));
        Quantizer.Write(source, plan, folder.At("b.gguf"));
        Assert.All(parts, part => Assert.Equal(File.ReadAllBytes(folder.At(part)), File.ReadAllBytes(folder.At("b" + part[1..]))));
        Assert.Null(read.Compare(plan.Files(folder.At("b.gguf"))[^1].Path)); // any part stands for all
        Assert.Equal($"its tensors are the same, but in one file instead of {parts.Length} files", read.Compare(SampleModel.At("Q4_K_M")));

        // Parts that are kept, of a source that has some.
        using ModelFile split = ModelFile.Open(folder.At(parts[0]));
        made = Make(split, QuantizationPlan.Create(split, Recipe.Parse("Q4_0"), new() { AllowRequantize = true, Split = new() { Keep = true } }), folder.At("kept.gguf"));
        made.Write(folder.At("kept.json"));
        Assert.Equal(parts, made.Inputs.Select(f => f.Name));
        read = RecipeFile.Read(folder.At("kept.json"));
        read.CheckInputs(split);
        plan = QuantizationPlan.Create(split, read.Recipe, read.Options(importance: null));
        Quantizer.Write(split, plan, folder.At("again.gguf"));
        Assert.Equal(parts.Length, plan.Files(folder.At("again.gguf")).Count);
        Assert.Null(read.Compare(plan.Files(folder.At("again.gguf"))[0].Path));
    }

    [Fact]
    public void Tensors_that_store_something_once_are_made_again_whole()
    {
        using TemporaryFolder folder = new();
        using ModelFile source = ModelFile.Open(SampleModel.At("F32"));
        string path = SampleModel.At("K4_CB");
        RecipeFile recipe = RecipeFile.Of(source, QuantizationPlan.Create(source, Recipe.Parse("K4_CB")), path);
        Quantizer.Write(source, QuantizationPlan.Create(source, recipe.Recipe, recipe.Options(importance: null)), folder.At("again.gguf"));
        Assert.Null(recipe.Compare(folder.At("again.gguf")));
        using ModelFile result = ModelFile.Open(path);
        Assert.All(recipe.Tensors, t => Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(result.Read(result.Find(t.Name)!).AsSpan<byte>())), t.Sha256));

        byte[] bytes = File.ReadAllBytes(path);
        bytes[^17] ^= 1; // a level of the last tensor, before 16 bytes of padding
        Assert.Equal("tensor 'blk.3.ffn_up.weight' has other values", recipe.Compare(folder.Write("changed.gguf", bytes)));
    }

    [Fact]
    public void It_says_how_the_source_packs_ternary_weights()
    {
        using TemporaryFolder folder = new();
        string path = TernaryModel.Save(folder.At("ternary.gguf"), TernaryModel.Plain(folder.At("plain.gguf")), I2_SLayout.Rows4, isEven: _ => true);
        using (ModelFile source = ModelFile.Open(path, I2_SLayout.Rows4))
            Make(source, QuantizationPlan.Create(source, Recipe.Parse("TQ2_0"), new() { AllowRequantize = true }), folder.At("a.gguf")).Write(folder.At("r.json"));
        RecipeFile read = RecipeFile.Read(folder.At("r.json"));
        Assert.Equal(I2_SLayout.Rows4, read.Layout);
        using ModelFile again = ModelFile.Open(path, read.Layout);
        Quantizer.Write(again, QuantizationPlan.Create(again, read.Recipe, read.Options(importance: null)), folder.At("b.gguf"));
        Assert.Null(read.Compare(folder.At("b.gguf")));
    }

    [Fact]
    public void Its_hashes_are_those_of_the_files_and_of_llama_cpp_s_tensors()
    {
        RecipeFile recipe = Tiny(out string path);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(SampleModel.At("F32")))), recipe.Inputs.Single().Sha256);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))), recipe.Outputs.Single().Sha256);
        using JsonDocument manifest = JsonDocument.Parse(File.ReadAllText(Shared.Find("golden/tiny-manifest.json")));
        JsonElement tensors = manifest.RootElement.GetProperty("recipes").GetProperty("Q4_K_M").GetProperty("tensors");
        Assert.Equal(tensors.EnumerateObject().Count(), recipe.Tensors.Count);
        Assert.All(recipe.Tensors, t => Assert.Equal((tensors.GetProperty(t.Name).GetProperty("type").GetString(), tensors.GetProperty(t.Name).GetProperty("sha256").GetString()), (t.Format.Name, t.Sha256)));
    }

    [Fact]
    public void The_first_difference_is_named()
    {
        using TemporaryFolder folder = new();
        RecipeFile recipe = Tiny(out string path);
        Assert.Null(recipe.Compare(path));
        Assert.Equal("tensor 'output.weight' is Q5_K and should be Q6_K", recipe.Compare(Variant(new() { OutputFormat = WeightFormat.Of<Q5_K>() })));
        Assert.Equal("tensor 'blk.3.attn_k.weight' is missing", recipe.Compare(Variant(new() { PrunedLayers = new HashSet<int> { 3 } })));
        Assert.Contains("metadata", recipe.Compare(Variant(new() { Metadata = [new("general.name", MetadataValue.Of("other"))] })), StringComparison.Ordinal);

        byte[] bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 1; // of the last tensor
        Assert.Equal("tensor 'blk.3.ffn_up.weight' has other values", recipe.Compare(folder.Write("changed.gguf", bytes)));

        using ModelFile whole = ModelFile.Open(path);
        TensorInfo[] tensors = [.. whole.Tensors, whole.Tensors[^1] with { Name = "new.weight" }];
        using (GgufWriter writer = GgufWriter.Create(folder.At("more.gguf"), whole.Metadata, tensors))
        {
            foreach (TensorInfo tensor in whole.Tensors.Append(whole.Tensors[^1])) writer.Write(whole.Read(tensor).AsSpan<byte>());
            writer.Commit();
        }
        Assert.Equal("tensor 'new.weight' should not be there", recipe.Compare(folder.At("more.gguf")));

        string Variant(QuantizationOptions options)
        {
            using ModelFile source = ModelFile.Open(SampleModel.At("F32"));
            Quantizer.Write(source, QuantizationPlan.Create(source, Recipe.Parse("Q4_K_M"), options), folder.At("variant.gguf"));
            return folder.At("variant.gguf");
        }
    }

    [Fact]
    public void Another_model_is_refused_under_whatever_name()
    {
        using TemporaryFolder folder = new();
        RecipeFile recipe = Tiny(out _);
        File.Copy(SampleModel.At("F32"), folder.At("renamed.gguf"));
        using (ModelFile same = ModelFile.Open(folder.At("renamed.gguf"))) recipe.CheckInputs(same);
        File.Copy(SampleModel.At("F16"), folder.At("tiny-F32.gguf"));
        using ModelFile other = ModelFile.Open(folder.At("tiny-F32.gguf"));
        string message = FileErrors.Of(other.Path, () => recipe.CheckInputs(other));
        Assert.Contains(recipe.Inputs[0].Sha256, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_a_folder_every_file_counts_and_its_own_name_does_not()
    {
        using TemporaryFolder folder = new();
        foreach (string name in new[] { "one", "two" })
        {
            Directory.CreateDirectory(folder.At(name));
            foreach (string file in Directory.EnumerateFiles(Shared.TinyModel)) File.Copy(file, Path.Combine(folder.At(name), Path.GetFileName(file)));
        }
        RecipeFile recipe;
        using (ModelFile one = ModelFile.Open(folder.At("one"))) recipe = Make(one, QuantizationPlan.Create(one, Recipe.Parse("Q4_0")), folder.At("one.gguf"));
        Assert.Contains("config.json", recipe.Inputs.Select(f => f.Name));
        Assert.Contains("model.safetensors", recipe.Inputs.Select(f => f.Name));
        using (ModelFile two = ModelFile.Open(folder.At("two")))
        {
            recipe.CheckInputs(two);
            Quantizer.Write(two, QuantizationPlan.Create(two, recipe.Recipe, recipe.Options(importance: null)), folder.At("two.gguf"));
        }
        Assert.Equal(File.ReadAllBytes(folder.At("one.gguf")), File.ReadAllBytes(folder.At("two.gguf")));

        string extra = folder.Write("two/chat_template.jinja", "hello");
        Refused("chat_template.jinja");
        File.Delete(extra);
        File.AppendAllText(Path.Combine(folder.At("two"), "config.json"), "\n");
        Refused("config.json");
        File.Delete(Path.Combine(folder.At("two"), "tokenizer_config.json"));
        File.Copy(Path.Combine(folder.At("one"), "config.json"), Path.Combine(folder.At("two"), "config.json"), overwrite: true);
        Refused("tokenizer_config.json");

        void Refused(string name)
        {
            using ModelFile two = ModelFile.Open(folder.At("two"));
            Assert.Contains($"'{name}'", FileErrors.Of(two.Path, () => recipe.CheckInputs(two)), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Each_line_that_is_missing_is_harmless_or_refused_in_one_line()
    {
        using TemporaryFolder folder = new();
        string path = folder.At("r.json");
        Tiny(out _).Write(path);
        string[] lines = File.ReadAllLines(path);
        for (int missing = 0; missing < lines.Length; missing++)
        {
            File.WriteAllLines(path, lines.Where((_, i) => i != missing));
            FileErrors.SuccessOrOneLine(path, () => RecipeFile.Read(path));
        }
    }

    [Theory]
    [InlineData("{}", "--write-recipe")]
    [InlineData("[1]", "is no recipe")]
    [InlineData("""{"nibble-recipe": 2, "version": "9.8.7"}""", "9.8.7")]
    [InlineData("""{"nibble-recipe": 1, "version": "9.8.7", "seed": 5}""", "9.8.7")]
    [InlineData("""{"nibble-recipe": 1, "version": "9.8.7", "type": "Q9_X"}""", "9.8.7")]
    [InlineData("""{"nibble-recipe": 1, "type": "Q4_0"}""", "inputs")]
    [InlineData("""{"nibble-recipe": 1, "type": "Q4_0", "inputs": {"a": "xyz"}}""", "inputs.a")]
    [InlineData("""{"nibble-recipe": 1, "type": "Q4_0", "inputs": {"a": "HASH", "a": "HASH"}}""", "twice")]
    [InlineData("""{"nibble-recipe": 1, "type": "Q4_0", "inputs": {"a": "HASH"}, "prune-layers": "1,x"}""", "prune-layers")]
    [InlineData("""{"nibble-recipe": 1, "type": "Q4_0", "inputs": {"a": "HASH"}, "split-max-size": 0}""", "split-max-size")]
    [InlineData("""{"nibble-recipe": 1, "type": "Q4_0", "inputs": {"a": "HASH"}, "i2s-layout": "mips"}""", "i2s-layout")]
    [InlineData("""{"nibble-recipe": 1, "type": "Q4_0", "inputs": {"a": "HASH"}, "metadata": {"k": "uint8:300"}}""", "metadata.k")]
    [InlineData("""{"nibble-recipe": 1, "type": "Q4_0", "inputs": {"a": "HASH"}, "metadata": {}, "tensors": {"t": "Q4_0"}}""", "tensors.t")]
    [InlineData("""{"nibble-recipe": 1, "version": "9.8.7", "type": "Q4_0", "inputs": {"a": "HASH"}, "metadata": {}, "tensors": {"t": "Q9_0 HASH"}}""", "9.8.7")]
    [InlineData("""{"nibble-recipe": 1, "type": "Q4_0", "inputs": {"a": "HASH"}, "metadata": {}, "tensors": {"t": "Q4_0 HASH", "u": "Q4_0 HASH from t"}}""", "two tensors of 't'")]
    [InlineData("""{"nibble-recipe": 1, "type": "Q4_0", "inputs": {"a": "HASH"}, "imatrix": {"file": "i"}}""", "imatrix.sha256")]
    public void What_is_no_recipe_is_refused_in_one_line(string json, string part)
    {
        using TemporaryFolder folder = new();
        string path = folder.Write("r.json", json.Replace("HASH", new string('a', 64), StringComparison.Ordinal));
        Assert.Contains(part, FileErrors.Of(path, () => RecipeFile.Read(path)), StringComparison.Ordinal);
    }

    private static RecipeFile Tiny(out string path)
    {
        path = SampleModel.At("Q4_K_M");
        using ModelFile source = ModelFile.Open(SampleModel.At("F32"));
        return RecipeFile.Of(source, QuantizationPlan.Create(source, Recipe.Parse("Q4_K_M")), path);
    }

    private static RecipeFile Make(ModelFile source, QuantizationPlan plan, string target, RecipeImportance? importance = null)
    {
        Quantizer.Write(source, plan, target);
        return RecipeFile.Of(source, plan, target, importance);
    }
}
