using Nibble.Kernels;

namespace Nibble.Models.Architectures;

/// <summary>Llama 1 to 3 and what is wired alike (Mistral, SmolLM, Yi, …): Touvron et al. 2023, arXiv:2302.13971.</summary>
public sealed class Llama : IArchitecture
{
    public static string Name => "llama";

    public static Transformer Build(ModelReader model) => Compose(model, RopeStyle.Pairs);

    /// <summary>The composition that Llama's descendants share.</summary>
    /// <param name="model">The file.</param>
    /// <param name="style">Which values of a head RoPE turns together.</param>
    /// <param name="headNorms">Whether every query and key head has a norm.</param>
    internal static Transformer Compose(ModelReader model, RopeStyle style, bool headNorms = false)
    {
        AttentionShape shape = AttentionShape.Read(model);
        int width = shape.Width, hidden = model.Int("feed_forward_length"), context = model.Int("context_length");
        int queries = shape.Heads * shape.HeadSize, keys = shape.KeyHeads * shape.HeadSize;
        Rope rope = RopeReader.Read(model, style, shape.HeadSize, context);
        WeightMatrix embedding = model.Matrix("token_embd", width);

        return new Transformer(
            Embedding: embedding,
            Blocks: model.Layers(layer => new Block(
                AttentionNorm: layer.Norm("attn_norm", width),
                Attention: new(layer.Weight("attn_q", width, queries), layer.Weight("attn_k", width, keys), layer.Weight("attn_v", width, keys),
                               layer.Weight("attn_output", queries, width), rope, shape.HeadSize)
                {
                    QueryNorm = headNorms ? layer.Norm("attn_q_norm", shape.HeadSize) : null,
                    KeyNorm = headNorms ? layer.Norm("attn_k_norm", shape.HeadSize) : null,
                    Window = shape.WindowOf(layer.Index),
                },
                MlpNorm: layer.Norm("ffn_norm", width),
                Mlp: new(layer.Weight("ffn_gate", width, hidden), layer.Weight("ffn_up", width, hidden), layer.Weight("ffn_down", hidden, width)))),
            Norm: model.Norm("output_norm", width),
            Head: model.TryWeight("output", width, embedding.Rows) ?? new Linear("token_embd.weight", embedding),
            ContextLength: context);
    }
}
