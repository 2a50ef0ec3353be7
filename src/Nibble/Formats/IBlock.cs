namespace Nibble.Formats;

/// <summary>What every block has, whatever it holds.</summary>
public interface IBlockShape
{
    /// <summary>The format's name as llama.cpp and GGUF spell it.</summary>
    static abstract string Name { get; }

    /// <summary>Values in one block.</summary>
    static abstract int BlockSize { get; }
}

/// <summary>
/// A fixed number of values stored together. The fields of the struct are the bytes of the file, so
/// <c>sizeof</c> is the size of a block; nothing else repeats it.
/// </summary>
public interface IBlock<TSelf> : IBlockShape where TSelf : unmanaged, IBlock<TSelf>
{
    /// <summary>Writes <c>blocks.Length * BlockSize</c> values to <paramref name="destination"/>, which must have that length.</summary>
    static abstract void Dequantize(ReadOnlySpan<TSelf> blocks, Span<float> destination);

    /// <summary>Stores <paramref name="source"/>, whose length must be <c>blocks.Length * BlockSize</c>, as well as the format can without knowing which values matter.</summary>
    static abstract void Quantize(ReadOnlySpan<float> source, Span<TSelf> blocks);
}

/// <summary>
/// A block of weights: a <see cref="IBlock{TSelf}"/> that GGUF files hold, that says all about its weights, and that multiplies
/// with activations stored as <typeparamref name="TActivation"/>.
/// </summary>
public interface IWeightBlock<TSelf, TActivation> : IBlock<TSelf>, ITensorBlock<TSelf, TActivation, NoTail>
    where TSelf : unmanaged, IWeightBlock<TSelf, TActivation>
    where TActivation : unmanaged, IBlock<TActivation>
{
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

    static NoTail ITensorBlock<TSelf, TActivation, NoTail>.Fit(ITensorValues values) => default;

    static void ITensorBlock<TSelf, TActivation, NoTail>.Dequantize(ReadOnlySpan<TSelf> blocks, in NoTail tail, Span<float> destination) =>
        TSelf.Dequantize(blocks, destination);

    static void ITensorBlock<TSelf, TActivation, NoTail>.Quantize(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, in NoTail tail, Span<TSelf> blocks)
    {
        if (importance.IsEmpty) TSelf.Quantize(source, blocks);
        else TSelf.Quantize(source, importance, blocks);
    }

    static float ITensorBlock<TSelf, TActivation, NoTail>.Dot(ReadOnlySpan<TSelf> weights, ReadOnlySpan<TActivation> activations, in NoTail tail) =>
        TSelf.Dot(weights, activations);
}

/// <summary>Code that is generic over the format of a weight, entered from a format known only at run time.</summary>
public interface IWeightVisitor<TResult>
{
    TResult Visit<TWeight, TActivation, TTail>()
        where TWeight : unmanaged, ITensorBlock<TWeight, TActivation, TTail>
        where TActivation : unmanaged, IBlock<TActivation>
        where TTail : unmanaged;
}

/// <summary>As <see cref="IWeightVisitor{TResult}"/>, for formats whose blocks can be taken apart into levels.</summary>
internal interface ILevelVisitor<TResult>
{
    TResult Visit<TWeight, TActivation>()
        where TWeight : unmanaged, IWeightBlock<TWeight, TActivation>, ILevels<TWeight>
        where TActivation : unmanaged, IActivationBlock<TActivation>;
}
