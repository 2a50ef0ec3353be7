using System.Text.Json.Nodes;
using Nibble.Files;
using Nibble.Files.HuggingFace;

namespace Nibble.Tests.Files.HuggingFace;

public sealed class ModelConfigTests
{
    private static Metadata Read(SmallModel small)
    {
        small.WriteConfig();
        Metadata metadata = new("test");
        new ModelConfig(JsonSection.Read(small.At("config.json"))).Write(metadata, "small", SmallModel.Vocabulary);
        return metadata;
    }

    [Theory]
    [InlineData("""{"rope_theta":5e5,"rope_scaling":{"type":"linear","factor":4.0}}""")]
    [InlineData("""{"rope_theta":5e5,"rope_scaling":{"rope_type":"linear","factor":4}}""")]
    [InlineData("""{"rope_theta":1,"rope_parameters":{"rope_type":"linear","factor":4,"rope_theta":5e5}}""")]
    [InlineData("""{"rope_parameters":{"full_attention":{"rope_type":"linear","factor":4,"rope_theta":5e5},"sliding_attention":{"rope_type":"default","rope_theta":1e4}}}""")]
    public void Linear_scaling_is_read_in_every_spelling(string keys)
    {
        using SmallModel small = new();
        foreach ((string key, JsonNode? value) in JsonNode.Parse(keys)!.AsObject()) small.Config[key] = value?.DeepClone();
        Metadata metadata = Read(small);
        Assert.Equal(500_000, metadata.Float("llama.rope.freq_base"));
        Assert.Equal("linear", metadata.String("llama.rope.scaling.type"));
        Assert.Equal(4, metadata.Float("llama.rope.scaling.factor"));
        Assert.False(metadata.Contains("llama.rope.scaling.original_context_length"));
    }

    [Fact]
    public void Yarn_scaling_has_its_parameters()
    {
        using SmallModel small = new();
        small.Config["rope_scaling"] = JsonNode.Parse("""{"rope_type":"yarn","factor":4.0,"original_max_position_embeddings":32768,"beta_fast":16,"beta_slow":2,"attention_factor":1.5}""");
        Metadata metadata = Read(small);
        Assert.Equal("yarn", metadata.String("llama.rope.scaling.type"));
        Assert.Equal(4, metadata.Float("llama.rope.scaling.factor"));
        Assert.Equal(32768, metadata.Integer("llama.rope.scaling.original_context_length"));
        Assert.Equal(16, metadata.Float("llama.rope.scaling.yarn_beta_fast"));
        Assert.Equal(2, metadata.Float("llama.rope.scaling.yarn_beta_slow"));
        Assert.Equal(1.5, metadata.Float("llama.rope.scaling.yarn_attn_factor"));
    }

    [Fact]
    public void Llama3_scaling_becomes_a_tensor()
    {
        using SmallModel small = new();
        small.With("head_dim", 64).With("rope_theta", 500000.0);
        small.Config["rope_scaling"] = JsonNode.Parse("""{"rope_type":"llama3","factor":32.0,"low_freq_factor":1.0,"high_freq_factor":4.0,"original_max_position_embeddings":8192}""");
        small.Tensors["model.layers.0.self_attn.q_proj.weight"] = ([128, 8], "F32");
        small.Tensors["model.layers.0.self_attn.k_proj.weight"] = ([64, 8], "F32");
        small.Write();
        using ModelFile model = ModelFile.Open(small.Path);
        Assert.False(model.Metadata.Contains("llama.rope.scaling.type"));
        TensorInfo tensor = model.Find("rope_freqs.weight")!;
        Assert.Equal([32], tensor.Dimensions);
        float[] divisors = model.Read(tensor).AsSpan<float>().ToArray();
        // The definition, in double precision: transformers, modeling_rope_utils, the function for llama3.
        for (int i = 0; i < 32; i++)
        {
            double frequency = Math.Pow(500000, -2.0 * i / 64), wavelength = 2 * Math.PI / frequency;
            double smooth = Math.Clamp((8192 / wavelength - 1) / (4 - 1), 0, 1);
            double scaled = (1 - smooth) * frequency / 32 + smooth * frequency;
            Assert.Equal(frequency / scaled, divisors[i], 1e-4 * divisors[i]);
        }
        Assert.Equal((1f, 32f), (divisors[0], divisors[^1]));
    }

    [Theory]
    [InlineData("MistralForCausalLM", """{"sliding_window":64}""", 64, null)]
    [InlineData("MistralForCausalLM", """{"sliding_window":null}""", null, null)]
    [InlineData("LlamaForCausalLM", """{"sliding_window":64}""", null, null)]
    [InlineData("Qwen2ForCausalLM", """{"sliding_window":64,"use_sliding_window":false}""", null, null)]
    [InlineData("Qwen2ForCausalLM", """{"sliding_window":64,"use_sliding_window":true,"max_window_layers":2}""", 64, "0 0 1")]
    [InlineData("Qwen3ForCausalLM", """{"sliding_window":64,"use_sliding_window":true,"layer_types":["sliding_attention","full_attention","sliding_attention"]}""", 64, "1 0 1")]
    public void Sliding_window_is_where_the_configuration_asks_for_it(string architecture, string keys, int? window, string? pattern)
    {
        using SmallModel small = new();
        small.With("architectures", new JsonArray(architecture)).With("num_hidden_layers", 3);
        foreach ((string key, JsonNode? value) in JsonNode.Parse(keys)!.AsObject()) small.Config[key] = value?.DeepClone();
        Metadata metadata = Read(small);
        string name = metadata.String("general.architecture")!;
        Assert.Equal(window, metadata.Integer($"{name}.attention.sliding_window"));
        Assert.Equal(pattern, metadata.Integers($"{name}.attention.sliding_window_pattern") is { } layers ? string.Join(' ', layers) : null);
    }

    [Theory]
    [InlineData("""{"architectures":["GPT2LMHeadModel"]}""", "'GPT2LMHeadModel' is not supported; supported are LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM, Qwen3ForCausalLM")]
    [InlineData("""{"architectures":null}""", "architecture")]
    [InlineData("""{"architectures":"LlamaForCausalLM"}""", "a list of texts")]
    [InlineData("""{"architectures":[1]}""", "a list of texts")]
    [InlineData("""{"hidden_size":null}""", "'hidden_size' is missing")]
    [InlineData("""{"hidden_size":"8"}""", "'hidden_size'")]
    [InlineData("""{"hidden_size":0}""", "'hidden_size'")]
    [InlineData("""{"hidden_size":-8}""", "'hidden_size'")]
    [InlineData("""{"hidden_size":8.5}""", "'hidden_size'")]
    [InlineData("""{"hidden_size":1e300}""", "'hidden_size'")]
    [InlineData("""{"hidden_size":9}""", "cannot be divided")]
    [InlineData("""{"num_hidden_layers":2000000000}""", "no model has")]
    [InlineData("""{"num_key_value_heads":3}""", "cannot share")]
    [InlineData("""{"head_dim":3}""", "even")]
    [InlineData("""{"rms_norm_eps":"small"}""", "'rms_norm_eps'")]
    [InlineData("""{"rms_norm_eps":-1}""", "above zero")]
    [InlineData("""{"rope_theta":0}""", "'rope_theta'")]
    [InlineData("""{"rope_scaling":"linear"}""", "an object")]
    [InlineData("""{"rope_scaling":{"type":"linear"}}""", "'factor'")]
    [InlineData("""{"rope_scaling":{"type":"linear","factor":0}}""", "rope_scaling.factor")]
    [InlineData("""{"rope_scaling":{"type":"dynamic","factor":2}}""", "supported are default, linear, llama3, yarn")]
    [InlineData("""{"hidden_act":"gelu"}""", "silu")]
    [InlineData("""{"quantization_config":{"quant_method":"gptq"}}""", "gptq")]
    public void Wrong_configurations_end_in_one_line(string keys, string expected)
    {
        using SmallModel small = new();
        foreach ((string key, JsonNode? value) in JsonNode.Parse(keys)!.AsObject()) small.Config[key] = value?.DeepClone();
        Assert.Contains(expected, FileErrors.Of(small.At("config.json"), () => Read(small)), StringComparison.Ordinal);
    }

    [Fact]
    public void Damaged_configurations_end_in_success_or_one_line()
    {
        using SmallModel small = new();
        small.Config["rope_scaling"] = JsonNode.Parse("""{"rope_type":"llama3","factor":32.0,"low_freq_factor":1.0,"high_freq_factor":4.0,"original_max_position_embeddings":8192}""");
        small.WriteConfig();
        string path = small.At("config.json");
        byte[] whole = File.ReadAllBytes(path);
        Random random = new(5);
        for (int trial = 0; trial < 2000; trial++)
        {
            byte[] damaged = random.Next(10) == 0 ? whole[..random.Next(whole.Length)] : [.. whole];
            for (int flips = random.Next(1, 4); flips > 0 && damaged.Length > 0; flips--) damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            File.WriteAllBytes(path, damaged);
            FileErrors.SuccessOrOneLine(path, () => new ModelConfig(JsonSection.Read(path)).Write(new Metadata(path), "small", 6));
        }
    }
}
