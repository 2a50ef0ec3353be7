using Nibble.Formats;
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

    /// <summary>Writes attention over <c>state.Normed</c> and the caches, <c>[tokens, width]</c>, to <c>state.Output</c>, and the new keys and values to the caches.</summary>
    internal unsafe void Apply(ForwardState state, int layer)
    {
        Activations query = state.Scratch("query", Query.Outputs), key = state.Scratch("key", Key.Outputs), value = state.Scratch("value", Value.Outputs);
        Linear.Apply(state.Normed, state, (Query, query), (Key, key), (Value, value));

        state.Pool.Run(new PlaceWork(this, state, layer, query.WritePointer, key.WritePointer, value.WritePointer), query.Tokens);

        Activations mixed = state.Scratch("mixed", Query.Outputs);
        mixed.Resize(query.Tokens);
        for (int s = 0; s < state.Caches.Count; s++)
        {
            KvCache cache = state.Caches[s];
            state.Plan.Place(s, cache.Keys(layer, 0), cache.KeyStride, cache.Values(layer, 0), cache.ValueStride);
        }
        new AttentionKernel
        {
            Plan = state.Plan,
            Queries = query.WritePointer,
            Result = mixed.WritePointer,
            KeyFormat = state.CacheOptions.KeyFormat,
            ValueFormat = state.CacheOptions.ValueFormat,
            AreValuesRotated = state.CacheOptions.RotatesValues,
            QueryHeads = Heads,
            KeyHeads = KeyHeads,
            HeadSize = HeadSize,
            Window = Window ?? int.MaxValue,
            Scale = 1 / MathF.Sqrt(HeadSize),
        }.Run(state.Pool);
        Output.Apply(mixed, state.Output, state);
    }

    /// <summary>Gives queries and keys of a token their position, and stores its keys and values.</summary>
    private readonly unsafe struct PlaceWork(Attention attention, ForwardState state, int layer, float* queries, float* keys, float* values) : IWork
    {
        private readonly float* _angles = state.Angles(attention.Rope);

        public void Run(int start, int end)
        {
            for (int s = 0; s < state.Caches.Count; s++)
            {
                ref readonly AttentionSegment segment = ref state.Plan.Segments[s];
                int last = Math.Min(end, segment.FirstToken + segment.Tokens);
                for (int token = Math.Max(start, segment.FirstToken); token < last; token++)
                    Place(token, segment.FirstPosition + token - segment.FirstToken, state.Caches[s]);
            }
        }

        private void Place(int token, int position, KvCache cache)
        {
            int width = attention.Query.Outputs, keyWidth = attention.Key.Outputs, angleCount = attention.Rope.AngleCount;
            Span<float> query = new(queries + (long)token * width, width);
            Span<float> key = new(keys + (long)token * keyWidth, keyWidth), value = new(values + (long)token * keyWidth, keyWidth);
            ReadOnlySpan<float> angles = new(_angles + (long)token * angleCount, angleCount);
            attention.QueryNorm?.ApplyToHeads(query);
            attention.KeyNorm?.ApplyToHeads(key);
            attention.Rope.Apply(query, attention.HeadSize, angles);
            attention.Rope.Apply(key, attention.HeadSize, angles);
            if (cache.Options.RotatesKeys)
            {
                Hadamard.Rotate(query, attention.HeadSize);
                Hadamard.Rotate(key, attention.HeadSize);
            }
            if (cache.Options.RotatesValues) Hadamard.Rotate(value, attention.HeadSize);
            if (cache.Options.KeyFormat is WeightFormat<F16, F32, NoTail>) HalfRounding.Apply(query); // products of equals, as llama.cpp's
            cache.Store(layer, position, key, value);
        }
    }
}
