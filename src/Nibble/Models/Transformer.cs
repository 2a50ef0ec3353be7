using Nibble.Kernels;

namespace Nibble.Models;

/// <summary>One layer: attention and feed-forward, each normalized first and added to the stream.</summary>
public sealed record Block(RmsNorm AttentionNorm, Attention Attention, RmsNorm MlpNorm, Mlp Mlp)
{
    internal void Apply(ForwardState state, int layer)
    {
        AttentionNorm.Apply(state.Stream, state.Normed, state.Pool);
        Attention.Apply(state, layer);
        MlpNorm.AddAndApply(state.Output, state.Stream, state.Normed, state.Pool);
        Mlp.Apply(state);
        state.Stream.Add(state.Output, state.Pool);
    }
}

/// <summary>A decoder-only transformer: tokens to the scores of each next token.</summary>
/// <param name="Embedding">A row for each token, <c>[vocabulary, width]</c>.</param>
/// <param name="Blocks">The layers.</param>
/// <param name="Norm">The norm before the head.</param>
/// <param name="Head"><c>[vocabulary, width]</c>; the embedding itself where they are tied.</param>
/// <param name="ContextLength">Tokens the model was trained for.</param>
public sealed record Transformer(WeightMatrix Embedding, IReadOnlyList<Block> Blocks, RmsNorm Norm, Linear Head, int ContextLength)
{
    public int Width => Embedding.Columns;

    public int VocabularySize => Head.Outputs;

    /// <summary>Every matrix that a token passes through, in that order.</summary>
    internal IEnumerable<Linear> Matrices
    {
        get
        {
            foreach (Block block in Blocks)
            {
                yield return block.Attention.Query;
                yield return block.Attention.Key;
                yield return block.Attention.Value;
                yield return block.Attention.Output;
                yield return block.Mlp.Gate;
                yield return block.Mlp.Up;
                yield return block.Mlp.Down;
            }
            yield return Head;
        }
    }

    /// <summary>An empty cache for texts of up to <paramref name="capacity"/> tokens.</summary>
    public KvCache CreateCache(int capacity) =>
        new(Blocks.Count, Blocks[0].Attention.KeyHeads, Blocks[0].Attention.HeadSize, capacity);

    /// <summary>
    /// Runs <paramref name="tokens"/>, which follow those in the cache, through the model.
    /// </summary>
    /// <param name="tokens">Ids below <see cref="WeightMatrix.Rows"/> of the embedding.</param>
    /// <param name="state">Buffers, cache and threads.</param>
    /// <param name="firstScored">The first token whose successor is scored; those before only fill the cache.</param>
    /// <param name="logits">Becomes <c>[tokens - firstScored, vocabulary]</c>.</param>
    internal void Forward(ReadOnlySpan<int> tokens, ForwardState state, int firstScored, Activations logits)
    {
        state.FirstPosition = state.Cache.Length;
        state.Stream.Resize(tokens.Length);
        for (int token = 0; token < tokens.Length; token++) Embedding.ReadRow(tokens[token], state.Stream.Write(token));

        for (int layer = 0; layer < Blocks.Count; layer++) Blocks[layer].Apply(state, layer);
        state.Cache.Length += tokens.Length;

        int scored = tokens.Length - firstScored;
        if (scored <= 0) return;
        state.Normed.Resize(scored);
        for (int token = 0; token < scored; token++) Norm.Apply(state.Stream.Read(firstScored + token), state.Normed.Write(token));
        Head.Apply(state.Normed, logits, state);
    }
}
