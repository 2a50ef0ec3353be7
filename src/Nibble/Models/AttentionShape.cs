namespace Nibble.Models;

/// <summary>The sizes of a model's attention, read from its metadata and checked against one another.</summary>
/// <param name="Width">Values of one token in the stream.</param>
/// <param name="Heads">Query heads.</param>
/// <param name="KeyHeads">Key/value heads; each serves <c>Heads / KeyHeads</c> query heads.</param>
/// <param name="HeadSize">Values of one head.</param>
/// <param name="Window">Tokens that a token sees in layers with a sliding window, or <see langword="null"/>.</param>
/// <param name="WindowPattern">Which layers have the window; <see langword="null"/> for all.</param>
internal sealed record AttentionShape(int Width, int Heads, int KeyHeads, int HeadSize, int? Window, long[]? WindowPattern)
{
    public static AttentionShape Read(ModelReader model)
    {
        int width = model.Int("embedding_length"), heads = model.Int("attention.head_count"), keyHeads = model.TryInt("attention.head_count_kv") ?? heads;
        int headSize = model.TryInt("attention.key_length") ?? width / heads;
        int valueSize = model.TryInt("attention.value_length") ?? headSize;
        const int Most = 1 << 16; // beyond any model; keeps the products below within 32 bits
        if (heads > Most / 2 || headSize > Most / 2 || headSize < 2 || headSize % 2 != 0 || headSize != valueSize || heads % keyHeads != 0)
            throw model.Refusal($"has {heads} query heads, {keyHeads} key/value heads, keys of {headSize} and values of {valueSize}: sizes that cannot go together");
        return new(width, heads, keyHeads, headSize, model.TryInt("attention.sliding_window"), model.TryIntegers("attention.sliding_window_pattern"));
    }

    /// <summary>Tokens that a token sees in this layer, or <see langword="null"/> for all.</summary>
    public int? WindowOf(int layer) =>
        WindowPattern is null || (layer < WindowPattern.Length && WindowPattern[layer] != 0) ? Window : null;
}
