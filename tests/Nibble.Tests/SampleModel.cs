using System.Runtime.InteropServices;
using System.Text.Json;
using Nibble.Files;
using Nibble.Generation;
using Nibble.Quantization;

namespace Nibble.Tests;

/// <summary>
/// The sample model as GGUF: its single-precision weights, and each level made of them once for all tests. The conversion here is
/// of its own, apart from the library's, so that neither can hide a fault of the other.
/// </summary>
internal static class SampleModel
{
    private const int Heads = 4, KeyHeads = 2, Layers = 4, Bos = 4093, Eos = 4094, Padding = 4095;

    private static readonly (string Theirs, string Ours)[] s_layerNames =
    [
        ("input_layernorm", "attn_norm"), ("self_attn.q_proj", "attn_q"), ("self_attn.k_proj", "attn_k"), ("self_attn.v_proj", "attn_v"),
        ("self_attn.o_proj", "attn_output"), ("post_attention_layernorm", "ffn_norm"), ("mlp.gate_proj", "ffn_gate"),
        ("mlp.up_proj", "ffn_up"), ("mlp.down_proj", "ffn_down"),
    ];

    private static readonly Lazy<string> s_folder = new(CreateFolder);
    private static readonly Lazy<string> s_full = new(() => Build().Save(Path.Combine(s_folder.Value, "tiny-F32.gguf")));
    private static readonly Dictionary<string, Lazy<string>> s_levels =
        Recipe.All.ToDictionary(r => r.Name, r => r.Name == "F32" ? s_full : new Lazy<string>(() => Quantize(r)));

    /// <summary>The GGUF file of a level, such as <c>Q4_K_M</c>; <c>F32</c> is the original. Not to be written to.</summary>
    public static string At(string level) => s_levels[level].Value;

    public static LanguageModel Open(string level = "F32", int threads = 1) => LanguageModel.Open(At(level), threads);

    /// <summary>The original with one weight of a matrix that is no number.</summary>
    public static byte[] Damaged(string tensor)
    {
        byte[] bytes = File.ReadAllBytes(At("F32"));
        using ModelFile file = ModelFile.Open(At("F32"));
        int at = bytes.AsSpan().IndexOf(file.Read(file.Tensors.Single(t => t.Name == tensor), 0, 1).AsSpan<byte>());
        MemoryMarshal.Write(bytes.AsSpan(at), float.NaN);
        return bytes;
    }

    private static string Quantize(Recipe recipe)
    {
        string path = Path.Combine(s_folder.Value, $"tiny-{recipe.Name}.gguf");
        using ModelFile file = ModelFile.Open(At("F32"));
        Quantizer.Write(file, QuantizationPlan.Create(file, recipe, new() { Importance = recipe.NeedsImportance ? EvenImportance(file) : null }), path);
        return path;
    }

    /// <summary>All columns matter alike, for formats that cannot do without being told.</summary>
    private static Dictionary<string, float[]> EvenImportance(ModelFile file) => file.Tensors.ToDictionary(t => t.Name, t =>
    {
        float[] importance = new float[t.Columns];
        Array.Fill(importance, 1);
        return importance;
    });

    private static string CreateFolder()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("nibble-sample-");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => folder.Delete(recursive: true);
        return folder.FullName;
    }

    private static GgufModel Build()
    {
        GoldenTensors source = GoldenTensors.Read(Path.Combine(Shared.TinyModel, "model.safetensors"));
        GgufModel model = new("llama");
        model.Metadata["general.name"] = MetadataValue.Of("tiny");
        model.With("block_count", MetadataValue.Of((uint)Layers)).With("context_length", MetadataValue.Of(256u))
            .With("embedding_length", MetadataValue.Of(256u)).With("feed_forward_length", MetadataValue.Of(768u))
            .With("attention.head_count", MetadataValue.Of((uint)Heads)).With("attention.head_count_kv", MetadataValue.Of((uint)KeyHeads))
            .With("attention.layer_norm_rms_epsilon", MetadataValue.Of(1e-5f)).With("rope.freq_base", MetadataValue.Of(10_000f))
            .With("rope.dimension_count", MetadataValue.Of(64u)).With("vocab_size", MetadataValue.Of(4096u));
        model.Metadata["general.file_type"] = MetadataValue.Of(0u);
        AddTokenizer(model.Metadata);

        Add("model.embed_tokens", "token_embd");
        for (int layer = 0; layer < Layers; layer++)
            foreach ((string theirs, string ours) in s_layerNames) Add($"model.layers.{layer}.{theirs}", $"blk.{layer}.{ours}");
        Add("model.norm", "output_norm");
        Add("lm_head", "output");
        return model;

        void Add(string theirs, string ours)
        {
            int[] shape = source.Shape(theirs + ".weight");
            float[] values = Widen(source.Bytes(theirs + ".weight"));
            if (ours.EndsWith("attn_q", StringComparison.Ordinal)) values = HalvesToPairs(values, Heads, shape[1]);
            if (ours.EndsWith("attn_k", StringComparison.Ordinal)) values = HalvesToPairs(values, KeyHeads, shape[1]);
            model.Add(ours + ".weight", values, shape[^1], shape.Length == 2 ? shape[0] : null);
        }
    }

    /// <summary>Reorders the rows of each head from (i, i + half) to (2i, 2i + 1), as GGUF stores them for Llama.</summary>
    public static float[] HalvesToPairs(float[] values, int heads, int columns)
    {
        float[] result = new float[values.Length];
        int headSize = values.Length / columns / heads;
        for (int head = 0; head < heads; head++)
        {
            for (int row = 0; row < headSize; row++)
            {
                int from = head * headSize + row, to = head * headSize + (row < headSize / 2 ? 2 * row : 2 * (row - headSize / 2) + 1);
                values.AsSpan(from * columns, columns).CopyTo(result.AsSpan(to * columns));
            }
        }
        return result;
    }

    /// <summary>The upper halves of single-precision numbers as such.</summary>
    private static float[] Widen(ReadOnlySpan<byte> halves)
    {
        ReadOnlySpan<ushort> bits = MemoryMarshal.Cast<byte, ushort>(halves);
        float[] values = new float[bits.Length];
        for (int i = 0; i < values.Length; i++) values[i] = BitConverter.UInt32BitsToSingle((uint)bits[i] << 16);
        return values;
    }

    private static void AddTokenizer(Metadata metadata)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(Path.Combine(Shared.TinyModel, "tokenizer.json")));
        JsonElement model = document.RootElement.GetProperty("model");
        string[] tokens = new string[4096];
        int[] types = [.. Enumerable.Repeat(1, tokens.Length)];
        foreach (JsonProperty token in model.GetProperty("vocab").EnumerateObject()) tokens[token.Value.GetInt32()] = token.Name;
        foreach (JsonElement token in document.RootElement.GetProperty("added_tokens").EnumerateArray())
        {
            int id = token.GetProperty("id").GetInt32();
            (tokens[id], types[id]) = (token.GetProperty("content").GetString()!, 3);
        }
        metadata["tokenizer.ggml.model"] = MetadataValue.Of("gpt2");
        metadata["tokenizer.ggml.pre"] = MetadataValue.Of("gpt-2");
        metadata["tokenizer.ggml.tokens"] = MetadataValue.Of(tokens);
        metadata["tokenizer.ggml.token_type"] = MetadataValue.Of(types);
        metadata["tokenizer.ggml.merges"] = MetadataValue.Of(model.GetProperty("merges").EnumerateArray().Select(Merge).ToArray());
        metadata["tokenizer.ggml.bos_token_id"] = MetadataValue.Of((uint)Bos);
        metadata["tokenizer.ggml.eos_token_id"] = MetadataValue.Of((uint)Eos);
        metadata["tokenizer.ggml.padding_token_id"] = MetadataValue.Of((uint)Padding);
        metadata["tokenizer.ggml.add_bos_token"] = MetadataValue.Of(true);

        static string Merge(JsonElement merge) =>
            merge.ValueKind == JsonValueKind.String ? merge.GetString()! : string.Join(' ', merge.EnumerateArray().Select(part => part.GetString()));
    }
}
