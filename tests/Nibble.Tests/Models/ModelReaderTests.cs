using Nibble.Files;

namespace Nibble.Tests.Models;

public class ModelReaderTests
{
    public static TheoryData<string, MetadataValue, string> Wrong => new()
    {
        { "block_count", MetadataValue.Of(0u), "block_count" },
        { "block_count", MetadataValue.Of(3u), "blk.2" },
        { "block_count", MetadataValue.Of(2_000_000_000u), "block_count" },
        { "block_count", MetadataValue.Of("two"), "block_count" },
        { "embedding_length", MetadataValue.Of(64u), "token_embd.weight" },
        { "embedding_length", MetadataValue.Of(ulong.MaxValue), "embedding_length" },
        { "feed_forward_length", MetadataValue.Of(81u), "ffn_gate" },
        { "attention.head_count", MetadataValue.Of(3u), "3 query heads" },
        { "attention.head_count", MetadataValue.Of(2_000_000_000u), "heads" },
        { "attention.head_count_kv", MetadataValue.Of(3u), "3 key/value heads" },
        { "attention.head_count_kv", MetadataValue.Of(8u), "8 key/value heads" },
        { "attention.head_count_kv", MetadataValue.Of(-2), "head_count_kv" },
        { "attention.key_length", MetadataValue.Of(13u), "13" },
        { "attention.value_length", MetadataValue.Of(6u), "6" },
        { "attention.layer_norm_rms_epsilon", MetadataValue.Of(float.NaN), "epsilon" },
        { "rope.dimension_count", MetadataValue.Of(14u), "14" },
        { "rope.dimension_count", MetadataValue.Of(5u), "5" },
        { "rope.freq_base", MetadataValue.Of(0f), "base" },
        { "rope.freq_base", MetadataValue.Of(float.PositiveInfinity), "freq_base" },
        { "rope.scaling.factor", MetadataValue.Of(0f), "factor" },
        { "attention.sliding_window", MetadataValue.Of(0u), "sliding_window" },
    };

    [Theory]
    [MemberData(nameof(Wrong), DisableDiscoveryEnumeration = true)]
    public void A_number_that_does_not_fit_is_named(string key, MetadataValue value, string part)
    {
        RandomModel shape = new("llama") { More = [(key, value)] };
        string message = Assert.Throws<NibbleException>(() => new RunningModel(shape.Build())).Message;
        Assert.Contains("model.gguf", message, StringComparison.Ordinal);
        Assert.Contains(part, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Theory]
    [InlineData("block_count")]
    [InlineData("context_length")]
    [InlineData("embedding_length")]
    [InlineData("feed_forward_length")]
    [InlineData("attention.head_count")]
    public void A_missing_number_is_named(string key)
    {
        GgufModel model = new RandomModel("llama").Build();
        model.Metadata.Remove("llama." + key);
        Assert.Contains($"llama.{key}", Assert.Throws<NibbleException>(() => new RunningModel(model)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_tensor_is_named_with_those_that_are_there()
    {
        GgufModel model = new("llama");
        GgufModel complete = new RandomModel("llama") { Layers = 1 }.Build();
        foreach ((string key, MetadataValue value) in complete.Metadata) model.Metadata[key] = value;
        model.Add("token_embd.weight", complete.Values["token_embd.weight"], 48, 61);
        model.Add("blk.0.attn_norm.weight", complete.Values["blk.0.attn_norm.weight"], 48);
        string message = Assert.Throws<NibbleException>(() => new RunningModel(model)).Message;
        Assert.Contains("'blk.0.attn_q.weight' is missing", message, StringComparison.Ordinal);
        Assert.Contains("blk.0.attn_norm.weight", message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_architecture_is_refused_with_the_known_ones()
    {
        string message = Assert.Throws<NibbleException>(() => new RunningModel(new RandomModel("mamba").Build())).Message;
        Assert.Contains("'mamba'", message, StringComparison.Ordinal);
        Assert.Contains("llama, qwen2, qwen3", message, StringComparison.Ordinal);
    }
}
