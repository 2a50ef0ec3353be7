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

    /// <summary>Frees what the weights take beside the file, see <see cref="WeightMatrix.Release"/>.</summary>
    internal void Release()
    {
        Embedding.Release();
        foreach (Linear matrix in Matrices) matrix.Weight.Release();
    }

    /// <summary>Memory that running the model takes.</summary>
    /// <param name="contextLength">Tokens that the text can have.</param>
    /// <param name="cache">How keys and values are stored; <see langword="null"/> for half precision.</param>
    /// <exception cref="NibbleException">The model's heads cannot be stored so.</exception>
    public MemoryNeed MemoryFor(int contextLength, CacheOptions? cache = null)
    {
        cache ??= CacheOptions.Default;
        cache.Validate(Blocks[0].Attention.HeadSize);
        return MemoryNeed.Of(this, contextLength, cache);
    }

    /// <summary>An empty cache for texts of up to <paramref name="capacity"/> tokens.</summary>
    /// <exception cref="NibbleException">The system has not that much memory, or the model's heads cannot be stored so.</exception>
    public KvCache CreateCache(int capacity, CacheOptions? options = null) =>
        new(Blocks.Count, Blocks[0].Attention.KeyHeads, Blocks[0].Attention.HeadSize, capacity, options ?? CacheOptions.Default);

    /// <summary>Runs the tokens of a batch through the model, and adds them to the caches.</summary>
    /// <param name="tokens">Ids below <see cref="WeightMatrix.Rows"/> of the embedding, as many as the batch has.</param>
    /// <param name="state">The batch, its caches, and buffers and threads.</param>
    /// <param name="logits">Becomes <c>[state.Scored, vocabulary]</c>; left alone where no token is scored.</param>
    internal void Forward(ReadOnlySpan<int> tokens, ForwardState state, Activations logits)
    {
        ForwardLayers(tokens, state);
        if (state.Scored.Count == 0) return;
        state.Normed.Resize(state.Scored.Count);
        for (int i = 0; i < state.Scored.Count; i++) Norm.Apply(state.Stream.Read(state.Scored[i]), state.Normed.Write(i));
        Head.Apply(state.Normed, logits, state);
    }

    /// <summary>The same up to the norm before the head: what it begins with is left in the stream.</summary>
    internal void ForwardLayers(ReadOnlySpan<int> tokens, ForwardState state)
    {
        state.Stream.Resize(tokens.Length);
        for (int token = 0; token < tokens.Length; token++) Embedding.ReadRow(tokens[token], state.Stream.Write(token));
        for (int layer = 0; layer < Blocks.Count; layer++) Blocks[layer].Apply(state, layer);
        for (int s = 0; s < state.Caches.Count; s++) state.Caches[s].Length += state.Plan.Segments[s].Tokens;
    }
}
