using Nibble.Kernels;

namespace Nibble.Models;

/// <summary>
/// Self-attention with grouped heads: several query heads share one key/value head (Ainslie et al. 2023, arXiv:2305.13245).
/// </summary>
/// <param name="Query"><c>[heads * headSize, width]</c></param>
/// <param name="Key"><c>[keyHeads * headSize, width]</c></param>
/// <param name="Value"><c>[keyHeads * headSize, width]</c></param>
/// <param name="Output"><c>[width, heads * headSize]</c></param>
/// <param name="Rope">How positions turn queries and keys.</param>
/// <param name="HeadSize">Values of one head.</param>
public sealed record Attention(Linear Query, Linear Key, Linear Value, Linear Output, Rope Rope, int HeadSize)
{
    /// <summary>Normalizes every query head before it is turned.</summary>
    public RmsNorm? QueryNorm { get; init; }

    /// <summary>Normalizes every key head before it is turned.</summary>
    public RmsNorm? KeyNorm { get; init; }

    /// <summary>Tokens that a token sees, itself included; <see langword="null"/> for all.</summary>
    public int? Window { get; init; }

    public int Heads => Query.Outputs / HeadSize;

    public int KeyHeads => Key.Outputs / HeadSize;

    /// <summary>Writes attention over <c>state.Normed</c> and the cache, <c>[tokens, width]</c>, to <c>state.Output</c>, and the new keys and values to the cache.</summary>
    internal unsafe void Apply(ForwardState state, int layer)
    {
        Activations query = state.Scratch("query", Query.Outputs), key = state.Scratch("key", Key.Outputs), value = state.Scratch("value", Value.Outputs);
        Query.Apply(state.Normed, query, state);
        Key.Apply(state.Normed, key, state);
        Value.Apply(state.Normed, value, state);

        for (int token = 0; token < query.Tokens; token++)
        {
            int position = state.FirstPosition + token;
            QueryNorm?.ApplyToHeads(query.Write(token));
            KeyNorm?.ApplyToHeads(key.Write(token));
            Rope.Apply(query.Write(token), HeadSize, position);
            Rope.Apply(key.Write(token), HeadSize, position);
            state.Cache.Store(layer, position, key.Read(token), value.Read(token));
        }

        Activations mixed = state.Scratch("mixed", Query.Outputs);
        mixed.Resize(query.Tokens);
        AttentionKernel work = new()
        {
            Queries = query.WritePointer,
            Result = mixed.WritePointer,
            Keys = state.Cache.Keys(layer, 0),
            Values = state.Cache.Values(layer, 0),
            HeadStride = (long)state.Cache.Capacity * HeadSize,
            QueryHeads = Heads,
            KeyHeads = KeyHeads,
            HeadSize = HeadSize,
            FirstPosition = state.FirstPosition,
            Window = Window ?? int.MaxValue,
            Scale = 1 / MathF.Sqrt(HeadSize),
        };
        state.Pool.Run(work, query.Tokens * KeyHeads);
        Output.Apply(mixed, state.Output, state);
    }
}
