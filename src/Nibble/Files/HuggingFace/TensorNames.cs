using System.Globalization;

namespace Nibble.Files.HuggingFace;

/// <summary>The one place where the names that Hugging Face gives to tensors become GGUF's.</summary>
internal static class TensorNames
{
    /// <summary>Outside the layers: what follows in GGUF, what precedes on Hugging Face.</summary>
    private static readonly (string HuggingFace, string Gguf)[] s_outer =
    [
        ("lm_head", "output"),
        ("model.embed_tokens", "token_embd"),
        ("model.norm", "output_norm"),
    ];

    /// <summary>Within <c>model.layers.N.</c> and <c>blk.N.</c>.</summary>
    private static readonly (string HuggingFace, string Gguf)[] s_inner =
    [
        ("input_layernorm", "attn_norm"),
        ("mlp.down_proj", "ffn_down"),
        ("mlp.gate_proj", "ffn_gate"),
        ("mlp.up_proj", "ffn_up"),
        ("post_attention_layernorm", "ffn_norm"),
        ("self_attn.k_norm", "attn_k_norm"),
        ("self_attn.k_proj", "attn_k"),
        ("self_attn.o_proj", "attn_output"),
        ("self_attn.q_norm", "attn_q_norm"),
        ("self_attn.q_proj", "attn_q"),
        ("self_attn.v_proj", "attn_v"),
    ];

    private const string LayersPrefix = "model.layers.";

    /// <summary>Ends of names whose values follow from the configuration, so that GGUF leaves the tensors out.</summary>
    private static readonly string[] s_derived = [".attention.bias", ".attention.masked_bias", ".rotary_emb.inv_freq"];

    /// <summary>Whether GGUF has no such tensor because its values follow from the configuration.</summary>
    public static bool IsDerived(string name) => s_derived.Any(end => name.EndsWith(end, StringComparison.Ordinal));

    /// <summary>GGUF's name, such as <c>blk.3.attn_q.weight</c> for <c>model.layers.3.self_attn.q_proj.weight</c>; <see langword="null"/> where there is none.</summary>
    public static string? ToGguf(string name)
    {
        int dot = name.LastIndexOf('.');
        if (dot < 0 || name[dot..] is not (".weight" or ".bias")) return null;
        string stem = name[..dot], suffix = name[dot..];
        if (!stem.StartsWith(LayersPrefix, StringComparison.Ordinal)) return Find(s_outer, stem) is { } outer ? outer + suffix : null;

        string rest = stem[LayersPrefix.Length..];
        int end = rest.IndexOf('.', StringComparison.Ordinal);
        if (end < 0 || !int.TryParse(rest[..end], NumberStyles.None, CultureInfo.InvariantCulture, out int layer)) return null;
        return Find(s_inner, rest[(end + 1)..]) is { } inner ? string.Create(CultureInfo.InvariantCulture, $"blk.{layer}.{inner}{suffix}") : null;
    }

    /// <summary>The layer of a tensor that GGUF calls <paramref name="name"/>, or -1 outside the layers.</summary>
    public static int LayerOf(string name) =>
        name.Split('.') is ["blk", string number, ..] ? int.Parse(number, CultureInfo.InvariantCulture) : -1;

    /// <summary>The tensors, by GGUF's names, that no model of these families is without.</summary>
    public static IEnumerable<string> Required(int layers)
    {
        yield return "token_embd.weight";
        yield return "output_norm.weight";
        for (int layer = 0; layer < layers; layer++)
            foreach ((_, string name) in s_inner)
                if (!name.EndsWith("_q_norm", StringComparison.Ordinal) && !name.EndsWith("_k_norm", StringComparison.Ordinal))
                    yield return string.Create(CultureInfo.InvariantCulture, $"blk.{layer}.{name}.weight");
    }

    private static string? Find((string HuggingFace, string Gguf)[] names, string stem) => names.FirstOrDefault(n => n.HuggingFace == stem).Gguf;
}
