namespace Nibble.Formats;

/// <summary>
/// A fixed number of values stored together. The fields of the struct are the bytes of the file, so
/// <c>sizeof</c> is the size of a block; nothing else repeats it.
/// </summary>
public interface IBlock<TSelf> where TSelf : unmanaged, IBlock<TSelf>
{
    /// <summary>The format's name as llama.cpp and GGUF spell it.</summary>
    static abstract string Name { get; }

    /// <summary>Values in one block.</summary>
    static abstract int BlockSize { get; }

    /// <summary>Writes <c>blocks.Length * BlockSize</c> values to <paramref name="destination"/>, which must have that length.</summary>
    static abstract void Dequantize(ReadOnlySpan<TSelf> blocks, Span<float> destination);

    /// <summary>Stores <paramref name="source"/>, whose length must be <c>blocks.Length * BlockSize</c>, as well as the format can without knowing which values matter.</summary>
    static abstract void Quantize(ReadOnlySpan<float> source, Span<TSelf> blocks);
}

/// <summary>
/// A block of weights: a <see cref="IBlock{TSelf}"/> that GGUF files hold and that multiplies with activations
/// stored as <typeparamref name="TActivation"/>.
/// </summary>
public interface IWeightBlock<TSelf, TActivation> : IBlock<TSelf>
    where TSelf : unmanaged, IWeightBlock<TSelf, TActivation>
    where TActivation : unmanaged, IBlock<TActivation>
{
    /// <summary>The number by which GGUF names this format (<c>ggml_type</c>).</summary>
    static abstract int GgufType { get; }

    /// <summary>
    /// Whether rows can only be stored with importance: the few numbers there are to choose from are spent where they matter, and
    /// quantizing without knowing where throws a <see cref="NibbleException"/>.
    /// </summary>
    static virtual bool NeedsImportance => false;

    /// <summary>
    /// Stores one row, weighing each column's error by <paramref name="importance"/> (the mean square of that column's input,
    /// one value per column). Formats that have no use for it store the row as without.
    /// </summary>
    /// <param name="source">One whole row: some formats weigh a value against the mean square of its row.</param>
    /// <param name="importance">As long as <paramref name="source"/>.</param>
    /// <param name="blocks"><c>source.Length / BlockSize</c> blocks.</param>
    static abstract void Quantize(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<TSelf> blocks);

    /// <summary>The sum of products of a row of weights and a row of activations that hold equally many values.</summary>
    static abstract float Dot(ReadOnlySpan<TSelf> weights, ReadOnlySpan<TActivation> activations);
}

/// <summary>Code that is generic over the format of a weight, entered from a format known only at run time.</summary>
public interface IWeightVisitor<TResult>
{
    TResult Visit<TWeight, TActivation>()
        where TWeight : unmanaged, IWeightBlock<TWeight, TActivation>
        where TActivation : unmanaged, IBlock<TActivation>;
}

/// <summary>As <see cref="IWeightVisitor{TResult}"/>, for formats whose blocks can be taken apart into levels.</summary>
internal interface ILevelVisitor<TResult>
{
    TResult Visit<TWeight, TActivation>()
        where TWeight : unmanaged, IWeightBlock<TWeight, TActivation>, IAvx2Levels<TWeight>
        where TActivation : unmanaged, IActivationBlock<TActivation>;
}
