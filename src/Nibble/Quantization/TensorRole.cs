namespace Nibble.Quantization;

/// <summary>What a tensor does in a model, as far as recipes tell tensors apart.</summary>
public enum TensorRole
{
    Other, TokenEmbedding, Output, AttentionQuery, AttentionKey, AttentionValue, AttentionQkv, AttentionKvB, AttentionOutput,
    FeedForwardUp, FeedForwardGate, FeedForwardDown,
}

internal static class TensorRoles
{
    // Looked for in this order, anywhere in the name: experts are called ffn_down_exps and so on.
    private static readonly (string Part, TensorRole Role)[] s_parts =
    [
        ("attn_qkv.weight", TensorRole.AttentionQkv),
        ("attn_kv_b.weight", TensorRole.AttentionKvB),
        ("attn_v.weight", TensorRole.AttentionValue),
        ("attn_k.weight", TensorRole.AttentionKey),
        ("attn_q.weight", TensorRole.AttentionQuery),
        ("attn_output.weight", TensorRole.AttentionOutput),
        ("ffn_up", TensorRole.FeedForwardUp),
        ("ffn_gate", TensorRole.FeedForwardGate),
        ("ffn_down", TensorRole.FeedForwardDown),
    ];

    // Small tensors that llama.cpp keeps as they are, by a part of their name.
    private static readonly string[] s_kept =
    [
        "_norm.weight", "ffn_gate_inp.weight", "ffn_gate_tid2eid.weight", "altup", "laurel", "per_layer_model_proj", "ssm_conv1d",
        "shortconv.conv.weight", "indexer.k_proj.weight", "indexer.q_proj.weight", "time_mix_first.weight", "time_mix_w0.weight",
        "time_mix_w1.weight", "time_mix_w2.weight", "time_mix_v0.weight", "time_mix_v1.weight", "time_mix_v2.weight", "time_mix_a0.weight",
        "time_mix_a1.weight", "time_mix_a2.weight", "time_mix_g1.weight", "time_mix_g2.weight", "time_mix_decay_w1.weight",
        "time_mix_decay_w2.weight", "time_mix_lerp_fused.weight", "attn_rel_b.weight", "position_embd", "token_types.weight", "sam.pos_embd",
        "sam.neck.", "sam.net_", ".rel_pos", ".patch_embd", ".patch_merger", "a.rvq.codebook", "mm.a.code_embd",
    ];

    /// <summary>The role that a tensor's GGUF name tells.</summary>
    public static TensorRole Of(string name)
    {
        if (name == "output.weight") return TensorRole.Output;
        if (name is "token_embd.weight" or "per_layer_token_embd.weight") return TensorRole.TokenEmbedding;
        foreach ((string part, TensorRole role) in s_parts)
            if (name.Contains(part, StringComparison.Ordinal)) return role;
        return TensorRole.Other;
    }

    /// <summary>Whether a tensor is a matrix that quantizing makes smaller at little cost: norms, biases and small ones are kept.</summary>
    public static bool IsQuantized(string name, int dimensions) =>
        dimensions >= 2
        && name.EndsWith("weight", StringComparison.Ordinal)
        && !Array.Exists(s_kept, part => name.Contains(part, StringComparison.Ordinal));
}
