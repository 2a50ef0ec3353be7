namespace Nibble.Formats;

/// <summary>
/// A block of weights as GGUF files hold it. What it means may depend on a few numbers that a tensor stores once, behind its last
/// block: its tail. Of most formats the tail is <see cref="NoTail"/>; those are an <see cref="IWeightBlock{TSelf, TActivation}"/>.
/// </summary>
public interface ITensorBlock<TSelf, TActivation, TTail> : IBlockShape
    where TSelf : unmanaged, ITensorBlock<TSelf, TActivation, TTail>
    where TActivation : unmanaged, IBlock<TActivation>
    where TTail : unmanaged
{
    /// <summary>The number by which GGUF names this format (<c>ggml_type</c>).</summary>
    static abstract int GgufType { get; }

    /// <summary>
    /// Whether rows can only be stored with importance: the few numbers there are to choose from are spent where they matter, and
    /// quantizing without knowing where throws a <see cref="NibbleException"/>.
    /// </summary>
    static virtual bool NeedsImportance => false;

    /// <summary>The only programs that can read the format, in words, where llama.cpp and its kin cannot; else <see langword="null"/>.</summary>
    static virtual string? Readers => null;

    /// <summary>Chooses what is stored once per tensor; the same for the same values, whatever else happens.</summary>
    static abstract TTail Fit(ITensorValues values);

    /// <summary>Writes <c>blocks.Length * BlockSize</c> values to <paramref name="destination"/>, which must have that length.</summary>
    static abstract void Dequantize(ReadOnlySpan<TSelf> blocks, in TTail tail, Span<float> destination);

    /// <summary>Stores one row, or without importance any number of blocks.</summary>
    /// <param name="source"><c>blocks.Length * BlockSize</c> values.</param>
    /// <param name="importance">The mean square of each column's input, as long as <paramref name="source"/>; or empty for none.</param>
    /// <param name="tail">What <see cref="Fit"/> chose.</param>
    /// <param name="blocks">Where to.</param>
    static abstract void Quantize(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, in TTail tail, Span<TSelf> blocks);

    /// <summary>The sum of products of a row of weights and a row of activations that hold equally many values.</summary>
    static abstract float Dot(ReadOnlySpan<TSelf> weights, ReadOnlySpan<TActivation> activations, in TTail tail);
}

/// <summary>The tail of formats whose blocks say all: no bytes in the file.</summary>
public readonly struct NoTail;

/// <summary>The values of a tensor, to be looked through before they are stored.</summary>
public interface ITensorValues
{
    long Rows { get; }

    int Columns { get; }

    /// <summary>Reads one row, <c>[Columns]</c>.</summary>
    void Read(long row, Span<float> values);

    /// <summary>How much the columns of that row matter, <c>[Columns]</c>; empty where nothing is known.</summary>
    ReadOnlySpan<float> ImportanceOf(long row);
}
