using System.Text.Json.Nodes;
using Nibble.Files;

namespace Nibble.Tests.Files.HuggingFace;

public sealed class HuggingFaceFolderTests
{
    [Fact]
    public void Names_order_and_metadata_are_those_of_GGUF()
    {
        using SmallModel small = new SmallModel().Write();
        using ModelFile model = ModelFile.Open(small.Path);
        Assert.Equal("Hugging Face folder", model.Container);
        Assert.Equal(
            ["output_norm.weight", "token_embd.weight", "blk.0.attn_k.weight", "blk.0.attn_norm.weight", "blk.0.attn_output.weight", "blk.0.attn_q.weight",
             "blk.0.attn_v.weight", "blk.0.ffn_down.weight", "blk.0.ffn_gate.weight", "blk.0.ffn_norm.weight", "blk.0.ffn_up.weight"],
            model.Tensors.Select(t => t.Name));
        Assert.Equal([SmallModel.Width, SmallModel.Hidden], model.Find("blk.0.ffn_up.weight")!.Dimensions);
        Assert.Equal(SmallModel.HeadSize, model.Metadata.Integer("llama.rope.dimension_count"));
        Assert.False(model.Metadata.Contains("llama.attention.key_length"));
        Assert.Equal(SmallModel.Vocabulary, model.Metadata.Integer("llama.vocab_size"));
        Assert.Equal(["a", "b", "ab", "[PAD3]", "[PAD4]", "[PAD5]"], model.Metadata.Strings("tokenizer.ggml.tokens")!);
        using ModelFile config = ModelFile.Open(small.At("config.json"));
        Assert.Equal(model.Tensors.Count, config.Tensors.Count);
        using ModelFile weights = ModelFile.Open(small.At("model.safetensors"));
        Assert.Equal("safetensors", weights.Container);
    }

    [Theory]
    [InlineData("LlamaForCausalLM", true)]
    [InlineData("MistralForCausalLM", true)]
    [InlineData("Qwen2ForCausalLM", false)]
    public void Heads_of_llama_are_interleaved_and_no_others(string architecture, bool interleaved)
    {
        using SmallModel small = new();
        small.Config["architectures"] = new JsonArray(architecture);
        small.Tensors["model.layers.0.self_attn.q_proj.bias"] = ([SmallModel.Heads * SmallModel.HeadSize], "F32");
        small.Write();
        using ModelFile model = ModelFile.Open(small.Path);
        // Heads of 4 rows: halves (0, 1) and (2, 3) become pairs (0, 2) and (1, 3).
        int[] order = interleaved ? [0, 2, 1, 3, 4, 6, 5, 7] : [0, 1, 2, 3, 4, 5, 6, 7];
        float[] queries = model.Read(model.Find("blk.0.attn_q.weight")!).AsSpan<float>().ToArray();
        Assert.Equal(order.Select(row => 100f * row), queries.Where((_, i) => i % SmallModel.Width == 0));
        Assert.Equal(order.Select(row => (float)row), model.Read(model.Find("blk.0.attn_q.bias")!).AsSpan<float>().ToArray());
        Assert.Equal(order[..4].Select(row => 100f * row), model.Read(model.Find("blk.0.attn_k.weight")!).AsSpan<float>().ToArray().Where((_, i) => i % SmallModel.Width == 0));
        Assert.Equal([0f, 100, 200, 300], model.Read(model.Find("blk.0.attn_v.weight")!).AsSpan<float>().ToArray().Where((_, i) => i % SmallModel.Width == 0));
    }

    [Fact]
    public void Head_norms_stay_and_an_output_of_its_own_is_kept_unless_tied()
    {
        using SmallModel small = new();
        small.With("architectures", new JsonArray("Qwen3ForCausalLM")).With("head_dim", SmallModel.HeadSize).With("tie_word_embeddings", false);
        small.Tensors["model.layers.0.self_attn.q_norm.weight"] = ([SmallModel.HeadSize], "F32");
        small.Tensors["model.layers.0.self_attn.k_norm.weight"] = ([SmallModel.HeadSize], "F32");
        small.Tensors["model.layers.0.self_attn.rotary_emb.inv_freq"] = ([2], "F32");
        small.Tensors["lm_head.weight"] = ([SmallModel.Vocabulary, SmallModel.Width], "F32");
        small.Write();
        using (ModelFile model = ModelFile.Open(small.Path))
        {
            Assert.Equal("qwen3", model.Metadata.String("general.architecture"));
            Assert.Equal(SmallModel.HeadSize, model.Metadata.Integer("qwen3.attention.key_length"));
            Assert.Equal([0f, 1, 2, 3], model.Read(model.Find("blk.0.attn_q_norm.weight")!).AsSpan<float>().ToArray());
            Assert.NotNull(model.Find("output.weight"));
            Assert.Equal(14, model.Tensors.Count);
        }
        small.With("tie_word_embeddings", true).WriteConfig();
        using ModelFile tied = ModelFile.Open(small.Path);
        Assert.Null(tied.Find("output.weight"));
    }

    [Fact]
    public void A_model_is_called_after_its_folder_or_its_repository_in_the_cache()
    {
        using SmallModel small = new SmallModel().Write();
        foreach ((string place, string name) in new[] { ("Small-1M", "Small-1M"), ("models--someone--Small-1M/snapshots/0123abc", "Small-1M") })
        {
            foreach (string file in new[] { "config.json", "tokenizer.json", "model.safetensors" })
                small.Folder.Write($"{place}/{file}", File.ReadAllBytes(small.At(file)));
            using ModelFile model = ModelFile.Open(small.At(place) + "/");
            Assert.Equal(name, model.Metadata.String("general.name"));
        }
    }

    [Fact]
    public void Shards_are_one_model()
    {
        using SmallModel small = new SmallModel().Write(shards: 3);
        using ModelFile model = ModelFile.Open(small.Path);
        Assert.Equal("Hugging Face folder with 3 safetensors files", model.Container);
        Assert.Equal(11, model.Tensors.Count);
        foreach (TensorInfo tensor in model.Tensors) Assert.Equal(tensor.Bytes, model.Read(tensor).Length);
        using ModelFile index = ModelFile.Open(small.At("model.safetensors.index.json"));
        Assert.Equal(11, index.Tensors.Count);
    }

    [Fact]
    public void Shards_that_do_not_fit_the_index_end_in_one_line()
    {
        using SmallModel small = new SmallModel().Write(shards: 2);
        string second = small.At("model-00002-of-00002.safetensors"), index = small.At("model.safetensors.index.json");
        byte[] content = File.ReadAllBytes(second);
        File.Delete(second);
        Assert.Contains("download the missing file", FileErrors.Of(second, () => ModelFile.Open(small.Path)), StringComparison.Ordinal);
        File.WriteAllBytes(second, Safetensors.SafetensorsBytes.Of(("other", "F32", [1], new byte[4])));
        Assert.Contains("lacks tensor", FileErrors.Of(second, () => ModelFile.Open(small.Path)), StringComparison.Ordinal);
        File.WriteAllBytes(second, content);
        foreach (string outside in new[] { "../../etc/passwd", "/etc/passwd", "..", "", "a\\b", "sub/model.safetensors" })
        {
            File.WriteAllText(index, new JsonObject { ["weight_map"] = new JsonObject { ["a"] = outside } }.ToJsonString());
            Assert.Contains("no file of this folder", FileErrors.Of(index, () => ModelFile.Open(small.Path)), StringComparison.Ordinal);
        }
        foreach (string wrong in new[] { "{}", "[]", "", "{\"weight_map\":1}", "{\"weight_map\":{\"a\":1}}", "{\"weight_map\":{\"\\ud800\":\"b\"}}", "version https://git-lfs.github.com/spec/v1" })
        {
            File.WriteAllText(index, wrong);
            FileErrors.Of(index, () => ModelFile.Open(small.Path));
        }
    }

    [Fact]
    public void Folders_without_a_model_say_what_they_hold()
    {
        using TemporaryFolder folder = new();
        Assert.Contains("no config.json", FileErrors.Of(folder.Path, () => ModelFile.Open(folder.Path)), StringComparison.Ordinal);
        folder.Write("model.gguf", "");
        Assert.Contains("model.gguf", FileErrors.Of(folder.Path, () => ModelFile.Open(folder.Path)), StringComparison.Ordinal);
        using SmallModel small = new();
        small.WriteConfig();
        Assert.Contains("no model.safetensors", FileErrors.Of(small.Path, () => ModelFile.Open(small.Path)), StringComparison.Ordinal);
        small.Folder.Write("pytorch_model.bin", "x");
        Assert.Contains("pickle", FileErrors.Of(small.Path, () => ModelFile.Open(small.Path)), StringComparison.Ordinal);
    }

    public static TheoryData<string, string> WrongTensors => new()
    {
        { "model.layers.0.mlp.up_proj.weight:absent", "blk.0.ffn_up.weight" },
        { "model.embed_tokens.weight:absent", "token_embd.weight" },
        { "model.layers.0.self_attn.q_proj.weight:[6,8]", "q_proj" },
        { "model.layers.0.self_attn.k_proj.weight:[8,8]", "k_proj" },
        { "model.layers.0.self_attn.q_proj.weight:[2,4,8]", "q_proj" },
        { "model.embed_tokens.weight:[6,7]", "embed_tokens" },
        { "model.layers.7.mlp.up_proj.weight:[12,8]", "layer 7" },
        { "model.layers.99999999999.mlp.up_proj.weight:[12,8]", "none that LlamaForCausalLM" },
        { "model.layers.0.mlp.experts.0.weight:[12,8]", "none that LlamaForCausalLM" },
        { "model.layers.0.mlp.up_proj.weight:U8", "type U8" },
    };

    [Theory]
    [MemberData(nameof(WrongTensors))]
    public void Tensors_that_do_not_fit_the_configuration_end_in_one_line(string change, string expected)
    {
        using SmallModel small = new();
        string name = change[..change.IndexOf(':', StringComparison.Ordinal)], what = change[(name.Length + 1)..];
        if (what == "absent") small.Tensors.Remove(name);
        else if (what == "U8") small.Tensors[name] = (small.Tensors[name].Shape, "U8");
        else small.Tensors[name] = ([.. JsonNode.Parse(what)!.AsArray().Select(n => (long)n!)], "F32");
        small.Write();
        Assert.Contains(expected, FileErrors.Of(small.Path, () => ModelFile.Open(small.Path)), StringComparison.Ordinal);
    }
}
