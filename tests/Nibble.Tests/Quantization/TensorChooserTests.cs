using Nibble.Files;
using Nibble.Formats;
using Nibble.Quantization;

namespace Nibble.Tests.Quantization;

/// <summary>Rules that depend on the kind of model, against what llama.cpp's <c>llama-quant.cpp</c> says. Its models are rows of 256 weights.</summary>
public class TensorChooserTests
{
    private static readonly string[] s_down = ["ffn_down"];

    [Theory]
    // 32 layers: a sixteenth is 2, an eighth 4; sensitive from layer 4 on are 6, 9, … 27, and the last eighth from 28.
    [InlineData("Q4_K_M", "Q6_K", "Q5_K", "Q4_K")]
    [InlineData("Q3_K_M", "Q5_K", "Q4_K", "Q3_K")]
    [InlineData("Q4_K_S", "Q4_K", "Q4_K", "Q4_K")]
    [InlineData("Q3_K_L", "Q4_K", "Q4_K", "Q4_K")]
    [InlineData("Q5_K_M", "Q6_K", "Q6_K", "Q5_K")]
    [InlineData("Q2_K", "Q3_K", "Q3_K", "Q3_K")]
    public void The_last_matrices_of_a_Falcon(string recipe, string first, string sensitive, string others)
    {
        Dictionary<string, string> types = Types(Model("falcon", layers: 32, heads: 8, keyHeads: 1), recipe);
        for (int layer = 0; layer < 32; layer++)
            Assert.Equal((layer, layer < 2 ? first : layer < 4 || layer >= 28 || (layer - 4) % 3 == 2 ? sensitive : others), (layer, types[$"blk.{layer}.ffn_down.weight"]));
        Assert.Equal("Q8_0", types["output.weight"]);
    }

    [Theory]
    [InlineData("Q3_K_L", "Q4_K")]
    [InlineData("Q3_K_M", "Q3_K")]
    [InlineData("Q2_K", "Q2_K")]
    [InlineData("IQ3_M", "IQ3_S")]
    [InlineData("IQ2_M", "IQ3_S")]
    public void The_attention_output_of_a_Falcon(string recipe, string expected) =>
        Assert.Equal(expected, Types(Model("falcon", layers: 4, heads: 8, keyHeads: 1), recipe)["blk.1.attn_output.weight"]);

    [Theory]
    [InlineData("Q4_K_S", "Q5_K", "Q4_K")]
    [InlineData("Q2_K_S", "Q4_K", "Q2_K")]
    [InlineData("IQ3_M", "Q4_K", "IQ3_S")]
    public void In_a_mixture_layers_count_by_their_number(string recipe, string first, string others)
    {
        // 16 layers: an eighth is 2. Four experts, since eight make more layers sensitive in IQ3_M.
        Dictionary<string, string> types = Types(Mixture(experts: 4), recipe);
        foreach (string name in new[] { "ffn_down_exps", "ffn_down_shexp" })
            Assert.Equal([first, first, others, others], Enumerable.Range(0, 4).Select(layer => types[$"blk.{layer}.{name}.weight"]));
    }

    [Fact]
    public void In_recipes_of_one_and_two_bits_a_mixture_counts_tensors()
    {
        Dictionary<string, string> types = Types(Mixture(experts: 4), "IQ2_XS");
        Assert.Equal(("Q2_K", "Q2_K"), (types["blk.0.ffn_down_exps.weight"], types["blk.0.ffn_down_shexp.weight"]));
        Assert.Equal(("IQ2_XS", "IQ2_XS"), (types["blk.1.ffn_down_exps.weight"], types["blk.1.ffn_down_shexp.weight"]));
        Assert.Equal("Q4_K", types["blk.0.attn_v.weight"]);
    }

    [Theory]
    [InlineData("Q4_K_M", "Q8_0", "Q8_0", "Q5_K")]
    [InlineData("Q3_K_L", "Q8_0", "Q8_0", "Q3_K")]
    [InlineData("IQ3_XXS", "Q8_0", "Q8_0", "Q5_K")]
    [InlineData("Q2_K_S", "Q8_0", "Q8_0", "Q2_K")]
    [InlineData("IQ1_S", "Q4_K", "Q4_K", "Q5_K")]
    public void A_mixture_of_eight_keeps_its_attention(string recipe, string key, string value, string output)
    {
        Dictionary<string, string> types = Types(Mixture(experts: 8), recipe);
        Assert.Equal((key, value, output), (types["blk.5.attn_k.weight"], types["blk.5.attn_v.weight"], types["blk.5.attn_output.weight"]));
    }

    [Theory]
    [InlineData("Q2_K", 4, "Q4_K")]
    [InlineData("Q2_K", 3, "Q3_K")]
    [InlineData("IQ3_XS", 4, "Q4_K")]
    [InlineData("IQ3_XS", 2, "IQ3_S")]
    [InlineData("IQ4_XS", 8, "Q5_K")]
    [InlineData("IQ4_NL", 2, "IQ4_NL")]
    [InlineData("IQ2_S", 1, "IQ3_S")]
    [InlineData("IQ1_M", 4, "Q4_K")]
    public void Heads_that_share_a_key_ask_for_better_values_also_where_layers_differ(string recipe, int shared, string expected)
    {
        GgufModel model = Model("llama", layers: 4, heads: 12 * shared, keyHeads: 12);
        Assert.Equal(expected, Types(model, recipe)["blk.2.attn_v.weight"]);
        // The first layer speaks for all.
        model.With("attention.head_count_kv", MetadataValue.Of([12, 1, 1, 1]));
        Assert.Equal(expected, Types(model, recipe)["blk.2.attn_v.weight"]);
    }

    [Theory]
    [InlineData("llama", 80, 64, 8, "Q5_K")]
    [InlineData("llama", 80, 64, 64, "Q3_K")]
    [InlineData("qwen2", 80, 64, 64, "Q5_K")]
    [InlineData("deci", 80, 64, 8, "Q5_K")]
    [InlineData("llama", 79, 64, 8, "Q3_K")]
    public void A_model_of_70_billion_keeps_its_values(string architecture, int layers, int heads, int keyHeads, string expected) =>
        Assert.Equal(expected, Types(Model(architecture, layers, heads, keyHeads), "Q3_K_S")["blk.40.attn_v.weight"]);

    [Fact]
    public void Tensors_whose_format_is_named_are_not_counted_among_the_others()
    {
        GgufModel model = Model("llama", layers: 8, heads: 4, keyHeads: 4);
        // The first four values of Q4_K_S are Q5_K.
        Assert.Equal("Q5_K Q5_K Q5_K Q5_K Q4_K", Values(new()));
        Assert.Equal("Q8_0 Q5_K Q5_K Q5_K Q5_K", Values(new() { Rules = [TensorRule.ForNames(@"blk\.0\.attn_v=Q8_0")] }));
        Assert.Equal("Q8_0 Q5_K Q5_K Q5_K Q4_K", Values(new() { Rules = [.. TensorRule.ForLayers("first:1=Q8_0")] }));

        string Values(QuantizationOptions options)
        {
            Dictionary<string, string> types = Types(model, "Q4_K_S", options);
            return string.Join(' ', Enumerable.Range(0, 5).Select(layer => types[$"blk.{layer}.attn_v.weight"]));
        }
    }

    [Fact]
    public void The_type_of_the_output_is_that_of_an_embedding_that_is_the_output_too()
    {
        GgufModel model = new("llama");
        model.Add("token_embd.weight", new float[256], 256, 1);
        Assert.Equal("Q6_K", Types(model, "Q4_K_M")["token_embd.weight"]);
        Assert.Equal("Q5_K", Types(model, "Q4_K_M", new() { OutputFormat = WeightFormat.Of<Q5_K>() })["token_embd.weight"]);
    }

    [Fact]
    public void Rows_that_fill_no_block_are_told_with_the_format_that_was_wanted()
    {
        using TemporaryFolder folder = new();
        GgufModel model = new("llama");
        model.Add("blk.0.ffn_up.weight", new float[256], 256, 1);
        model.Add("blk.0.ffn_down.weight", new float[320], 320, 1);
        model.Add("blk.0.attn_q.weight", new float[33], 33, 1);
        using ModelFile file = ModelFile.Open(model.Save(folder.At("model.gguf")));
        QuantizationPlan plan = QuantizationPlan.Create(file, Recipe.Parse("Q2_K"));
        Assert.Equal(2, plan.Fallbacks);
        Assert.Equal([("blk.0.attn_q.weight", "Q2_K", "F16"), ("blk.0.ffn_down.weight", "Q3_K", "Q4_0"), ("blk.0.ffn_up.weight", null, "Q2_K")],
            plan.Tensors.Select(t => (t.Target.Name, t.InsteadOf?.Name, t.Target.TypeName)));
    }

    private static GgufModel Mixture(int experts)
    {
        GgufModel model = Model("llama", layers: 16, heads: 4, keyHeads: 4, isMixture: true).With("expert_count", MetadataValue.Of((uint)experts));
        for (int layer = 0; layer < 16; layer++)
        {
            model.AddExperts($"blk.{layer}.ffn_down_exps.weight", new float[256 * experts], 256, 1);
            model.Add($"blk.{layer}.ffn_down_shexp.weight", new float[256], 256, 1);
        }
        return model;
    }

    private static GgufModel Model(string architecture, int layers, int heads, int keyHeads, bool isMixture = false)
    {
        GgufModel model = new GgufModel(architecture).With("block_count", MetadataValue.Of((uint)layers))
            .With("attention.head_count", MetadataValue.Of((uint)heads)).With("attention.head_count_kv", MetadataValue.Of((uint)keyHeads));
        model.Add("output.weight", new float[256], 256, 1);
        for (int layer = 0; layer < layers; layer++)
            foreach (string name in (string[])["attn_k", "attn_v", "attn_output", .. isMixture ? [] : s_down]) model.Add($"blk.{layer}.{name}.weight", new float[256], 256, 1);
        return model;
    }

    private static Dictionary<string, string> Types(GgufModel model, string recipe, QuantizationOptions? options = null)
    {
        using TemporaryFolder folder = new();
        using ModelFile file = ModelFile.Open(model.Save(folder.At("model.gguf")));
        // Recipes of few bits need importance, and those of more choose without.
        Dictionary<string, float[]>? importance = Recipe.Parse(recipe).NeedsImportance ? file.Tensors.ToDictionary(t => t.Name, _ => new float[256]) : null;
        return QuantizationPlan.Create(file, Recipe.Parse(recipe), (options ?? new()) with { Importance = importance }).Tensors.ToDictionary(t => t.Target.Name, t => t.Target.TypeName);
    }
}
