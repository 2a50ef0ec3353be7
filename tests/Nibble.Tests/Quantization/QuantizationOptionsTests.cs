using Nibble.Files;
using Nibble.Files.Gguf;
using Nibble.Formats;
using Nibble.Generation;
using Nibble.Models;
using Nibble.Quantization;

namespace Nibble.Tests.Quantization;

/// <summary>What may be asked for beside a recipe, on the sample model: 4 layers, output and embedding apart.</summary>
public class QuantizationOptionsTests
{
    [Fact]
    public void A_rule_by_name_goes_before_the_recipe_and_the_first_that_fits_decides()
    {
        Dictionary<string, string> types = Types("Q4_K_M", new() { Rules = [TensorRule.ForNames(@"blk\.(0|1)\.attn_v=Q8_0"), TensorRule.ForNames("attn_v=q5_0"), .. TensorRule.ForLayers("1=Q4_0")] });
        Assert.Equal(["Q8_0", "Q8_0", "Q5_0", "Q5_0"], OfLayers(types, "attn_v"));
        Assert.Equal(["Q4_K", "Q4_0", "Q4_K", "Q4_K"], OfLayers(types, "attn_q"));
        // The others are what they are without rules.
        Dictionary<string, string> plain = Types("Q4_K_M", new());
        Assert.Equal(plain.Where(t => !t.Key.Contains("attn_v", StringComparison.Ordinal) && !t.Key.StartsWith("blk.1.", StringComparison.Ordinal)),
            types.Where(t => !t.Key.Contains("attn_v", StringComparison.Ordinal) && !t.Key.StartsWith("blk.1.", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_format_that_does_not_fit_the_rows_is_refused_before_anything_is_written()
    {
        using TemporaryFolder folder = new();
        GgufModel model = new("llama");
        model.Add("blk.0.attn_q.weight", new float[32 * 4], 32, 4);
        using ModelFile source = ModelFile.Open(model.Save(folder.At("model.gguf")));
        QuantizationPlan plan = QuantizationPlan.Create(source, Recipe.Parse("Q8_0"), new() { Formats = new Dictionary<string, WeightFormat> { ["blk.0.attn_q.weight"] = WeightFormat.Of<Q4_K>() } });
        Assert.Contains("multiple of 256", Assert.Throws<NibbleException>(() => plan.Files(folder.At("out.gguf"))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("3=Q8_0", "Q4_0 Q4_0 Q4_0 Q8_0")]
    [InlineData("1-2=Q8_0", "Q4_0 Q8_0 Q8_0 Q4_0")]
    [InlineData("first:1=Q8_0", "Q8_0 Q4_0 Q4_0 Q4_0")]
    [InlineData("last:3=Q8_0", "Q4_0 Q8_0 Q8_0 Q8_0")]
    [InlineData("FIRST:9=q8_0", "Q8_0 Q8_0 Q8_0 Q8_0")]
    [InlineData("first:0=Q8_0", "Q4_0 Q4_0 Q4_0 Q4_0")]
    [InlineData("first:1=Q6_K, last:1=Q8_0", "Q6_K Q4_0 Q4_0 Q8_0")]
    [InlineData("0-1=Q6_K,1-2=Q8_0", "Q6_K Q6_K Q8_0 Q4_0")]
    public void Layers_are_named_by_numbers_or_from_either_end(string rules, string expected)
    {
        Dictionary<string, string> types = Types("Q4_0", new() { Rules = [.. TensorRule.ForLayers(rules)] });
        foreach (string name in new[] { "attn_q", "attn_v", "ffn_down", "ffn_gate" }) Assert.Equal(expected.Split(' '), OfLayers(types, name));
        Assert.Equal(("Q4_0", "Q6_K"), (types["token_embd.weight"], types["output.weight"]));
        Assert.Equal(["F32", "F32", "F32", "F32"], OfLayers(types, "attn_norm"));
    }

    [Fact]
    public void A_rule_may_name_a_recipe()
    {
        // Q3_K_M: the values of the first two layers Q5_K, then Q4_K; attn_output Q4_K; else Q3_K.
        Dictionary<string, string> types = Types("Q8_0", new() { Rules = [.. TensorRule.ForLayers("1-2=Q3_K_M")] });
        Assert.Equal(["Q8_0", "Q5_K", "Q4_K", "Q8_0"], OfLayers(types, "attn_v"));
        Assert.Equal(["Q8_0", "Q4_K", "Q4_K", "Q8_0"], OfLayers(types, "attn_output"));
        Assert.Equal(["Q8_0", "Q3_K", "Q3_K", "Q8_0"], OfLayers(types, "ffn_gate"));
    }

    [Theory]
    [InlineData("attn_v")]
    [InlineData("=Q8_0")]
    [InlineData("attn_v=")]
    [InlineData("attn_v=Q9_0")]
    [InlineData("attn_(v=Q8_0")]
    public void A_wrong_rule_by_name_is_refused_in_one_line(string rule) =>
        Assert.DoesNotContain(Assert.Throws<NibbleException>(() => TensorRule.ForNames(rule)).Message, char.IsControl);

    [Theory]
    [InlineData("3")]
    [InlineData("a=Q8_0")]
    [InlineData("-1=Q8_0")]
    [InlineData("3-1=Q8_0")]
    [InlineData("1-2-3=Q8_0")]
    [InlineData("first:=Q8_0")]
    [InlineData("last:x=Q8_0")]
    [InlineData("0-1=Q6_K,2")]
    [InlineData("0=what")]
    public void A_wrong_rule_by_layer_is_refused_in_one_line(string rule) =>
        Assert.DoesNotContain(Assert.Throws<NibbleException>(() => TensorRule.ForLayers(rule).ToArray()).Message, char.IsControl);

    [Fact]
    public void An_expression_without_end_is_refused()
    {
        TensorRule rule = TensorRule.ForNames("^(([a-z0-9._])+)+$x=Q8_0");
        Assert.Contains("simpler", Assert.Throws<NibbleException>(() => Types("Q4_0", new() { Rules = [rule] })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pure_gives_every_matrix_the_same_format()
    {
        Dictionary<string, string> types = Types("Q4_K_M", new() { Pure = true });
        Assert.Equal(["F32", "Q4_K"], types.Values.Distinct().Order(StringComparer.Ordinal));
        Assert.Equal(9, types.Values.Count(t => t == "F32")); // norms
        // What is named goes before.
        types = Types("Q4_K_M", new() { Pure = true, OutputFormat = WeightFormat.Of<Q5_K>(), Rules = [TensorRule.ForNames("ffn_up=Q6_K")] });
        Assert.Equal(("Q5_K", "Q6_K", "Q4_K"), (types["output.weight"], types["blk.2.ffn_up.weight"], types["blk.2.ffn_down.weight"]));
    }

    [Fact]
    public void Output_and_embedding_have_options_of_their_own()
    {
        Dictionary<string, string> types = Types("Q4_K_M", new() { OutputFormat = WeightFormat.Of<Q5_K>(), TokenEmbeddingFormat = WeightFormat.Of<Q8_0>(), Rules = [TensorRule.ForNames("output|embd=Q4_0")] });
        Assert.Equal(("Q5_K", "Q8_0", "Q4_0"), (types["output.weight"], types["token_embd.weight"], types["blk.0.attn_output.weight"]));
        Assert.Equal("F32", Types("Q4_K_M", new() { LeaveOutput = true })["output.weight"]);
        Assert.Equal("F32", Types("Q4_K_M", new() { LeaveOutput = true, OutputFormat = WeightFormat.Of<Q5_K>() })["output.weight"]);
    }

    [Theory]
    [InlineData("IQ3_XXS")]
    [InlineData("Q2_K_S")]
    [InlineData("IQ2_M")]
    [InlineData("IQ2_S")]
    [InlineData("IQ2_XS")]
    [InlineData("IQ2_XXS")]
    [InlineData("IQ1_M")]
    [InlineData("IQ1_S")]
    public void Recipes_that_need_importance_are_refused_without_naming_the_tensor(string recipe)
    {
        string message = Assert.Throws<NibbleException>(() => Types(recipe, new())).Message;
        Assert.Contains(recipe, message, StringComparison.Ordinal);
        Assert.Contains("'blk.0.", message, StringComparison.Ordinal);
        Assert.Contains("nibble imatrix", message, StringComparison.Ordinal);
        // One tensor missing is enough.
        Dictionary<string, float[]> importance = Even();
        importance.Remove("blk.2.ffn_up.weight");
        Assert.Contains("blk.2.ffn_up.weight", Assert.Throws<NibbleException>(() => Types(recipe, new() { Importance = importance })).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("output.weight")]
    [InlineData("token_embd.weight")]
    [InlineData("blk.1.attn_q.weight")]
    public void A_format_that_needs_importance_is_refused_for_any_tensor_without(string tensor)
    {
        QuantizationOptions options = tensor switch
        {
            "output.weight" => new() { OutputFormat = WeightFormat.Of<IQ2_XXS>() },
            "token_embd.weight" => new() { TokenEmbeddingFormat = WeightFormat.Of<IQ2_XXS>() },
            _ => new() { Rules = [TensorRule.ForNames($"{tensor}=IQ2_XXS")] },
        };
        Assert.Contains($"'{tensor}'", Assert.Throws<NibbleException>(() => Types("Q4_K_M", options)).Message, StringComparison.Ordinal);
        Assert.Equal("IQ2_XXS", Types("Q4_K_M", options with { Importance = Even() })[tensor]);
    }

    [Fact]
    public void Pruned_layers_are_left_out_and_those_behind_move_up()
    {
        using TemporaryFolder folder = new();
        using ModelFile source = ModelFile.Open(SampleModel.At("F32"));
        QuantizationOptions options = new() { PrunedLayers = new HashSet<int> { 0, 2 }, Rules = [.. TensorRule.ForLayers("3=Q8_0")] };
        QuantizationPlan plan = QuantizationPlan.Create(source, Recipe.Parse("F32"), options);
        Quantizer.Write(source, plan, folder.At("out.gguf"));
        using (ModelFile result = ModelFile.Open(folder.At("out.gguf")))
        {
            Assert.Equal(2, result.Metadata.Integer("llama.block_count"));
            Assert.Equal(3 + 2 * 9, result.Tensors.Count);
            Assert.Null(result.Find("blk.2.attn_q.weight"));
            foreach (string name in new[] { "attn_q", "attn_norm", "ffn_down" })
                Assert.Equal(source.Read(source.Find($"blk.1.{name}.weight")!).AsSpan<byte>(), result.Read(result.Find($"blk.0.{name}.weight")!).AsSpan<byte>());
            // Rules name layers by the numbers that they had.
            Assert.Equal("Q8_0", result.Find("blk.1.attn_q.weight")!.TypeName);
        }
        using LanguageModel model = LanguageModel.Open(folder.At("out.gguf"), 1);
        using Session session = model.CreateSession(16);
        foreach (float logit in session.Append([1, 2, 3])) Assert.True(float.IsFinite(logit));
    }

    [Fact]
    public void Pruning_takes_the_layers_out_of_metadata_that_has_a_number_for_each()
    {
        using TemporaryFolder folder = new();
        GgufModel model = new GgufModel("deci").With("block_count", MetadataValue.Of(4u)).With("leading_dense_block_count", MetadataValue.Of(2u))
            .With("attention.head_count", MetadataValue.Of([10, 11, 12, 13])).With("attention.sliding_window_pattern", MetadataValue.Of([true, false, true, true]))
            .With("scale", MetadataValue.Of([0.5f, 1.5f, 2.5f, 3.5f])).With("names", MetadataValue.Of("a b c d".Split(' ')))
            .With("rope.dimension_sections", MetadataValue.Of([1, 2, 3, 4])).With("others", MetadataValue.Of([1, 2, 3]));
        model.Metadata["tokenizer.ggml.token_type"] = MetadataValue.Of([1, 2, 3, 4]);
        for (int layer = 0; layer < 4; layer++) model.Add($"blk.{layer}.attn_q.weight", new float[32], 32, 1);
        using ModelFile source = ModelFile.Open(model.Save(folder.At("model.gguf")));
        Metadata pruned = QuantizationPlan.Create(source, Recipe.Parse("Q8_0"), new() { PrunedLayers = new HashSet<int> { 0, 2 } }).Metadata;
        Assert.Equal((2, 1), (pruned.Integer("deci.block_count"), pruned.Integer("deci.leading_dense_block_count")));
        Assert.Equal([11, 13], pruned.Integers("deci.attention.head_count")!);
        Assert.Equal([0, 1], pruned.Integers("deci.attention.sliding_window_pattern")!);
        Assert.Equal([1.5f, 3.5f], pruned.Floats("deci.scale")!);
        Assert.Equal((4, 4, 3, 4), (pruned.Strings("deci.names")!.Length, pruned.Integers("deci.rope.dimension_sections")!.Length, pruned.Integers("deci.others")!.Length, pruned.Integers("tokenizer.ggml.token_type")!.Length));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(0, 1, 2, 3)]
    public void Layers_that_are_not_there_or_all_of_them_cannot_be_pruned(params int[] layers) =>
        Assert.Contains("4", Assert.Throws<NibbleException>(() => Types("Q4_0", new() { PrunedLayers = layers.ToHashSet() })).Message, StringComparison.Ordinal);

    [Fact]
    public void Metadata_is_set_over_what_was_there()
    {
        using ModelFile source = ModelFile.Open(SampleModel.At("F32"));
        QuantizationPlan plan = QuantizationPlan.Create(source, Recipe.Parse("Q4_0"), new() { Metadata = [new("general.name", MetadataValue.Of("new")), new("x.y", MetadataValue.Of(true))] });
        Assert.Equal(("new", true), (plan.Metadata.String("general.name"), plan.Metadata.Bool("x.y")));
        Assert.Equal("tiny", source.Metadata.String("general.name"));
    }

    [Theory]
    [InlineData("Q4_K_M")]
    [InlineData("IQ2_M")]
    [InlineData("Q8_0")]
    [InlineData("BF16")]
    public void The_size_foretold_is_that_of_the_file(string recipe)
    {
        using ModelFile source = ModelFile.Open(SampleModel.At("F32"));
        QuantizationPlan plan = QuantizationPlan.Create(source, Recipe.Parse(recipe), new() { Importance = recipe == "IQ2_M" ? Even() : null });
        Assert.Equal(new FileInfo(SampleModel.At(recipe)).Length, GgufWriter.SizeOf(plan.Metadata, [.. plan.Tensors.Select(t => t.Target)]));
    }

    private static Dictionary<string, string> Types(string recipe, QuantizationOptions options)
    {
        using ModelFile source = ModelFile.Open(SampleModel.At("F32"));
        return QuantizationPlan.Create(source, Recipe.Parse(recipe), options).Tensors.ToDictionary(t => t.Target.Name, t => t.Target.TypeName);
    }

    private static string[] OfLayers(Dictionary<string, string> types, string name) => [.. Enumerable.Range(0, 4).Select(layer => types[$"blk.{layer}.{name}.weight"])];

    private static Dictionary<string, float[]> Even()
    {
        using ModelFile source = ModelFile.Open(SampleModel.At("F32"));
        return source.Tensors.ToDictionary(t => t.Name, t => Enumerable.Repeat(1f, (int)t.Columns).ToArray());
    }
}
