using System.Text.Json.Nodes;
using Nibble.Tests.Files.Safetensors;

namespace Nibble.Tests.Files.HuggingFace;

/// <summary>Writes a model folder of one or two tiny layers, right or wrong, whose every value says where it stands.</summary>
internal sealed class SmallModel : IDisposable
{
    public const int Width = 8, Heads = 2, KeyHeads = 1, HeadSize = 4, Hidden = 12, Vocabulary = 6;

    private readonly TemporaryFolder _folder = new();

    public JsonObject Config { get; } = new()
    {
        ["architectures"] = new JsonArray("LlamaForCausalLM"),
        ["hidden_size"] = Width,
        ["intermediate_size"] = Hidden,
        ["num_hidden_layers"] = 1,
        ["num_attention_heads"] = Heads,
        ["num_key_value_heads"] = KeyHeads,
        ["max_position_embeddings"] = 128,
        ["rms_norm_eps"] = 1e-6,
        ["tie_word_embeddings"] = true,
    };

    /// <summary>Name, shape with rows first, and type; all hold value 100 × row + column.</summary>
    public Dictionary<string, (long[] Shape, string Type)> Tensors { get; } = new()
    {
        ["model.embed_tokens.weight"] = ([Vocabulary, Width], "F32"),
        ["model.norm.weight"] = ([Width], "F32"),
        ["model.layers.0.input_layernorm.weight"] = ([Width], "F32"),
        ["model.layers.0.post_attention_layernorm.weight"] = ([Width], "F32"),
        ["model.layers.0.self_attn.q_proj.weight"] = ([Heads * HeadSize, Width], "F32"),
        ["model.layers.0.self_attn.k_proj.weight"] = ([KeyHeads * HeadSize, Width], "F32"),
        ["model.layers.0.self_attn.v_proj.weight"] = ([KeyHeads * HeadSize, Width], "F32"),
        ["model.layers.0.self_attn.o_proj.weight"] = ([Width, Heads * HeadSize], "F32"),
        ["model.layers.0.mlp.gate_proj.weight"] = ([Hidden, Width], "F32"),
        ["model.layers.0.mlp.up_proj.weight"] = ([Hidden, Width], "F32"),
        ["model.layers.0.mlp.down_proj.weight"] = ([Width, Hidden], "F32"),
    };

    public string Path => _folder.Path;

    public TemporaryFolder Folder => _folder;

    public string At(string name) => _folder.At(name);

    public SmallModel With(string key, JsonNode? value)
    {
        Config[key] = value;
        return this;
    }

    /// <summary>Writes config, tokenizer and weights; the weights into <paramref name="shards"/> files with an index where there is more than one.</summary>
    public SmallModel Write(int shards = 1)
    {
        WriteConfig();
        WriteTokenizer();
        if (shards == 1)
        {
            _folder.Write("model.safetensors", Weights(Tensors.Keys));
            return this;
        }
        JsonObject map = [];
        for (int shard = 0; shard < shards; shard++)
        {
            string name = $"model-{shard + 1:00000}-of-{shards:00000}.safetensors";
            string[] names = [.. Tensors.Keys.Where((_, i) => i % shards == shard)];
            _folder.Write(name, Weights(names));
            foreach (string tensor in names) map[tensor] = name;
        }
        _folder.Write("model.safetensors.index.json", new JsonObject { ["metadata"] = new JsonObject { ["total_size"] = 1 }, ["weight_map"] = map }.ToJsonString());
        return this;
    }

    public void WriteConfig() => _folder.Write("config.json", Config.ToJsonString());

    public void WriteTokenizer() => _folder.Write("tokenizer.json", """
        {"version":"1.0","added_tokens":[],"normalizer":null,
         "pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true},
         "post_processor":null,"decoder":{"type":"ByteLevel"},
         "model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]}}
        """);

    public void Dispose() => _folder.Dispose();

    private byte[] Weights(IEnumerable<string> names) => SafetensorsBytes.Of([.. names.Select(name =>
    {
        (long[] shape, string type) = Tensors[name];
        long columns = shape[^1];
        IEnumerable<float> values = Enumerable.Range(0, (int)shape.Aggregate((a, b) => a * b)).Select(i => 100f * (i / columns) + i % columns);
        byte[] data = type == "F32" ? SafetensorsBytes.F32(values) : new byte[values.Count()];
        return (name, type, shape, data);
    })]);
}
