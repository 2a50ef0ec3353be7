using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Nibble.Formats;

/// <summary>A weight format chosen at run time: the one place where a number or a name in a file becomes a type.</summary>
public abstract class WeightFormat
{
    /// <summary>Every format, in alphabetical order.</summary>
    public static IReadOnlyList<WeightFormat> All { get; } =
    [
        WeightFormat<BF16, F32, NoTail>.Instance,
        WeightFormat<F16, F32, NoTail>.Instance,
        WeightFormat<F32, F32, NoTail>.Instance,
        WeightFormat<I2_S, Q8_0, I2_STail>.Instance,
        LevelFormat<IQ1_M, Q8_K>.Instance,
        LevelFormat<IQ1_S, Q8_K>.Instance,
        LevelFormat<IQ2_S, Q8_K>.Instance,
        LevelFormat<IQ2_XS, Q8_K>.Instance,
        LevelFormat<IQ2_XXS, Q8_K>.Instance,
        LevelFormat<IQ3_S, Q8_K>.Instance,
        LevelFormat<IQ3_XXS, Q8_K>.Instance,
        LevelFormat<IQ4_NL, Q8_0>.Instance,
        LevelFormat<IQ4_XS, Q8_K>.Instance,
        WeightFormat<K4_CB, Q8_K, SByte16>.Instance,
        LevelFormat<MXFP4, Q8_0>.Instance,
        LevelFormat<NVFP4, Q8_0>.Instance,
        LevelFormat<Q1_0, Q8_0>.Instance,
        LevelFormat<Q2_0, Q8_0>.Instance,
        LevelFormat<Q2_K, Q8_K>.Instance,
        LevelFormat<Q3_K, Q8_K>.Instance,
        LevelFormat<Q4_0, Q8_0>.Instance,
        LevelFormat<Q4_1, Q8_1>.Instance,
        LevelFormat<Q4_K, Q8_K>.Instance,
        LevelFormat<Q5_0, Q8_0>.Instance,
        LevelFormat<Q5_1, Q8_1>.Instance,
        LevelFormat<Q5_K, Q8_K>.Instance,
        LevelFormat<Q6_K, Q8_K>.Instance,
        LevelFormat<Q8_0, Q8_0>.Instance,
        LevelFormat<TQ1_0, Q8_K>.Instance,
        LevelFormat<TQ2_0, Q8_K>.Instance,
    ];

    public abstract string Name { get; }

    /// <summary>GGUF's number for this format (<c>ggml_type</c>).</summary>
    public abstract int GgufType { get; }

    /// <summary>Weights in one block; the columns of a matrix are a multiple of it.</summary>
    public abstract int BlockSize { get; }

    /// <summary>Bytes of one block.</summary>
    public abstract int BlockBytes { get; }

    /// <summary>Whether quantizing needs importance.</summary>
    public abstract bool NeedsImportance { get; }

    /// <summary>The only programs that can read the format, in words, where llama.cpp and its kin cannot; else <see langword="null"/>.</summary>
    public abstract string? Readers { get; }

    /// <summary>Bytes that a tensor has behind its last block, for what is stored once; none in most formats.</summary>
    public abstract int TailBytes { get; }

    /// <summary>Bits of a weight, without the tail, which a tensor has once.</summary>
    public double BitsPerWeight => 8.0 * BlockBytes / BlockSize;

    /// <summary>Bytes of the blocks of <paramref name="count"/> weights, which must be a multiple of <see cref="BlockSize"/>.</summary>
    /// <exception cref="OverflowException">The size does not fit 63 bits.</exception>
    public long ByteSize(long count) => checked(count / BlockSize * BlockBytes);

    /// <summary>Bytes of a whole tensor of <paramref name="count"/> weights: its blocks and its tail.</summary>
    /// <exception cref="OverflowException">The size does not fit 63 bits.</exception>
    public long TensorBytes(long count) => checked(ByteSize(count) + TailBytes);

    /// <summary>The format with GGUF's number <paramref name="type"/>.</summary>
    public static bool TryFromGguf(uint type, [NotNullWhen(true)] out WeightFormat? format) =>
        (format = All.FirstOrDefault(f => f.GgufType == type)) is not null;

    /// <summary>The format called <paramref name="name"/>; upper and lower case are the same.</summary>
    public static bool TryParse(string name, [NotNullWhen(true)] out WeightFormat? format) =>
        (format = All.FirstOrDefault(f => f.Name.Equals(name, StringComparison.OrdinalIgnoreCase))) is not null;

    /// <summary>The format whose blocks are <typeparamref name="TWeight"/>.</summary>
    public static WeightFormat Of<TWeight>() where TWeight : unmanaged, IBlockShape =>
        All.First(f => f.Name == TWeight.Name);

    /// <summary>Chooses the tail of a tensor, <see cref="TailBytes"/> long.</summary>
    public abstract byte[] FitTail(ITensorValues values);

    /// <summary>Stores whole rows.</summary>
    /// <param name="source"><c>[rows, columns]</c>; columns a multiple of <see cref="BlockSize"/>.</param>
    /// <param name="importance"><c>[columns]</c>, or empty for none where <see cref="NeedsImportance"/> allows it.</param>
    /// <param name="tail">The tensor's tail, from <see cref="FitTail"/>.</param>
    /// <param name="destination"><see cref="ByteSize"/> bytes.</param>
    /// <exception cref="NibbleException">The format needs importance and there is none.</exception>
    public abstract void Quantize(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, ReadOnlySpan<byte> tail, Span<byte> destination);

    /// <summary>Writes the values of whole blocks to <paramref name="destination"/>, one float per weight.</summary>
    /// <param name="source">The blocks.</param>
    /// <param name="tail">The tail of their tensor.</param>
    /// <param name="destination">As many values as the blocks hold.</param>
    public abstract void Dequantize(ReadOnlySpan<byte> source, ReadOnlySpan<byte> tail, Span<float> destination);

    /// <summary>Stores a whole tensor, blocks and tail.</summary>
    /// <param name="source"><c>[rows, columns]</c>; columns a multiple of <see cref="BlockSize"/>.</param>
    /// <param name="importance"><c>[columns]</c>, or empty for none where <see cref="NeedsImportance"/> allows it.</param>
    /// <param name="destination"><see cref="TensorBytes"/> bytes.</param>
    /// <exception cref="NibbleException">The format needs importance and there is none.</exception>
    public void Quantize(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<byte> destination)
    {
        byte[] tail = TailBytes == 0 ? [] : FitTail(new ValuesInMemory(source.ToArray(), importance.ToArray()));
        Quantize(source, importance, tail, destination[..^TailBytes]);
        tail.CopyTo(destination[^TailBytes..]);
    }

    /// <summary>Writes the values of a whole tensor, blocks and tail, to <paramref name="destination"/>, one float per weight.</summary>
    public void Dequantize(ReadOnlySpan<byte> source, Span<float> destination) => Dequantize(source[..^TailBytes], source[^TailBytes..], destination);

    /// <summary>Crosses from a format known at run time into code that is generic over it.</summary>
    public abstract TResult Accept<TResult>(IWeightVisitor<TResult> visitor);

    /// <summary>As <see cref="Accept"/>, for a format whose blocks can be taken apart into levels; false for others.</summary>
    internal virtual bool TryAccept<TResult>(ILevelVisitor<TResult> visitor, [MaybeNullWhen(false)] out TResult result)
    {
        result = default;
        return false;
    }

    public override string ToString() => Name;
}

internal class WeightFormat<TWeight, TActivation, TTail> : WeightFormat
    where TWeight : unmanaged, ITensorBlock<TWeight, TActivation, TTail>
    where TActivation : unmanaged, IBlock<TActivation>
    where TTail : unmanaged
{
    public static WeightFormat<TWeight, TActivation, TTail> Instance { get; } = new();

    public override string Name => TWeight.Name;
    public override int GgufType => TWeight.GgufType;
    public override int BlockSize => TWeight.BlockSize;
    public override int BlockBytes => Unsafe.SizeOf<TWeight>();
    public override bool NeedsImportance => TWeight.NeedsImportance;
    public override string? Readers => TWeight.Readers;
    public override int TailBytes => typeof(TTail) == typeof(NoTail) ? 0 : Unsafe.SizeOf<TTail>();

    public override byte[] FitTail(ITensorValues values)
    {
        if (TailBytes == 0) return [];
        TTail tail = TWeight.Fit(values);
        return MemoryMarshal.AsBytes(new ReadOnlySpan<TTail>(in tail)).ToArray();
    }

    public override void Quantize(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, ReadOnlySpan<byte> tail, Span<byte> destination)
    {
        Span<TWeight> blocks = MemoryMarshal.Cast<byte, TWeight>(destination);
        if (source.Length != (long)blocks.Length * BlockSize)
            throw new ArgumentException($"{source.Length} values do not fill {blocks.Length} blocks of {BlockSize}", nameof(source));
        TTail shared = TailOf(tail);
        if (importance.IsEmpty)
        {
            TWeight.Quantize(source, [], in shared, blocks);
            return;
        }
        int columns = importance.Length, blocksPerRow = columns / BlockSize;
        if (columns % BlockSize != 0 || source.Length % columns != 0)
            throw new ArgumentException($"{columns} importance values do not fit {source.Length} values in blocks of {BlockSize}", nameof(importance));
        for (int row = 0; row * columns < source.Length; row++)
            TWeight.Quantize(source.Slice(row * columns, columns), importance, in shared, blocks.Slice(row * blocksPerRow, blocksPerRow));
    }

    public override void Dequantize(ReadOnlySpan<byte> source, ReadOnlySpan<byte> tail, Span<float> destination)
    {
        TTail shared = TailOf(tail);
        TWeight.Dequantize(MemoryMarshal.Cast<byte, TWeight>(source), in shared, destination);
    }

    public override TResult Accept<TResult>(IWeightVisitor<TResult> visitor) => visitor.Visit<TWeight, TActivation, TTail>();

    /// <summary>The bytes as what they mean; the nothing of <see cref="NoTail"/> is not read.</summary>
    internal static TTail TailOf(ReadOnlySpan<byte> tail) => typeof(TTail) == typeof(NoTail) ? default : MemoryMarshal.Read<TTail>(tail);
}

/// <summary>A format whose weights are levels, multiplied with activations that are.</summary>
internal sealed class LevelFormat<TWeight, TActivation> : WeightFormat<TWeight, TActivation, NoTail>
    where TWeight : unmanaged, IWeightBlock<TWeight, TActivation>, ILevels<TWeight>
    where TActivation : unmanaged, IActivationBlock<TActivation>
{
    public static new LevelFormat<TWeight, TActivation> Instance { get; } = new();

    internal override bool TryAccept<TResult>(ILevelVisitor<TResult> visitor, [MaybeNullWhen(false)] out TResult result)
    {
        result = visitor.Visit<TWeight, TActivation>();
        return true;
    }
}
