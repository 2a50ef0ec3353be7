using Nibble.Formats;
using Nibble.Memory;

namespace Nibble.Kernels;

/// <summary>A matrix of weights <c>[rows, columns]</c> in any format, as it lies in a model file.</summary>
public abstract class WeightMatrix
{
    private protected WeightMatrix(WeightFormat format, int rows, int columns)
    {
        Format = format;
        Rows = rows;
        Columns = columns;
    }

    public WeightFormat Format { get; }

    public int Rows { get; }

    public int Columns { get; }

    /// <param name="format">The format of the blocks.</param>
    /// <param name="data">The blocks, row after row, and the tensor's tail where the format has one; it must stay valid as long as the matrix is in use.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Columns, a multiple of the format's block size.</param>
    public static WeightMatrix Create(WeightFormat format, MemoryRegion data, int rows, int columns)
    {
        ArgumentNullException.ThrowIfNull(format);
        if (columns % format.BlockSize != 0 || format.TensorBytes((long)rows * columns) != data.Length)
            throw new ArgumentException($"[{rows}, {columns}] of {format} does not take {data.Length} bytes", nameof(data));
        return format.Accept(new Creator(format, data, rows, columns));
    }

    /// <summary>For every token t and row r: <c>result[t, r] = Σ_c weight[r, c] · input[t, c]</c>.</summary>
    /// <param name="input"><c>[tokens, Columns]</c></param>
    /// <param name="result">Becomes <c>[tokens, Rows]</c>.</param>
    /// <param name="pool">The threads to use; the result does not depend on their number.</param>
    public abstract void Multiply(Activations input, Activations result, WorkerPool pool);

    /// <summary>Writes the values of one row, <c>[Columns]</c>.</summary>
    public abstract void ReadRow(int row, Span<float> destination);

    private sealed class Creator(WeightFormat format, MemoryRegion data, int rows, int columns) : IWeightVisitor<WeightMatrix>
    {
        public WeightMatrix Visit<TWeight, TActivation, TTail>()
            where TWeight : unmanaged, ITensorBlock<TWeight, TActivation, TTail>
            where TActivation : unmanaged, IBlock<TActivation>
            where TTail : unmanaged =>
            new WeightMatrix<TWeight, TActivation, TTail>(format, data, rows, columns);
    }
}

internal sealed unsafe class WeightMatrix<TWeight, TActivation, TTail>(WeightFormat format, MemoryRegion data, int rows, int columns)
    : WeightMatrix(format, rows, columns)
    where TWeight : unmanaged, ITensorBlock<TWeight, TActivation, TTail>
    where TActivation : unmanaged, IBlock<TActivation>
    where TTail : unmanaged
{
    /// <summary>Rows that one thread takes at a time: they stay in its first-level cache while all tokens pass.</summary>
    private const int RowsPerTile = 16;

    private readonly int _blocksPerRow = columns / TWeight.BlockSize;
    private readonly TTail _tail = WeightFormat<TWeight, TActivation, TTail>.TailOf(data.AsSpan<byte>(data.Length - format.TailBytes, format.TailBytes));

    public override void Multiply(Activations input, Activations result, WorkerPool pool)
    {
        if (input.Columns != Columns || result.Columns != Rows)
            throw new ArgumentException($"[{Rows}, {Columns}] does not take {input.Columns} columns to {result.Columns}", nameof(input));
        result.Resize(input.Tokens);
        Work work = new()
        {
            Weights = (TWeight*)data.Pointer,
            BlocksPerRow = _blocksPerRow,
            Rows = Rows,
            Input = input.As<TActivation>(pool),
            InputBlocks = Columns / TActivation.BlockSize,
            Tokens = input.Tokens,
            Result = result.WritePointer,
            Tail = _tail,
        };
        pool.Run(work, (Rows + RowsPerTile - 1) / RowsPerTile);
        // The work holds plain addresses, which keep nothing alive.
        GC.KeepAlive(input);
        GC.KeepAlive(result);
        GC.KeepAlive(this);
    }

    public override void ReadRow(int row, Span<float> destination)
    {
        TWeight.Dequantize(data.AsSpan<TWeight>((long)row * _blocksPerRow, _blocksPerRow), in _tail, destination);
        GC.KeepAlive(this);
    }

    private struct Work : IWork
    {
        public TWeight* Weights;
        public int BlocksPerRow, Rows;
        public TActivation* Input;
        public int InputBlocks, Tokens;
        public float* Result;
        public TTail Tail;

        public readonly void Run(int start, int end)
        {
            for (int tile = start; tile < end; tile++)
            {
                int last = Math.Min(Rows, (tile + 1) * RowsPerTile);
                for (int token = 0; token < Tokens; token++)
                {
                    ReadOnlySpan<TActivation> x = new(Input + (long)token * InputBlocks, InputBlocks);
                    for (int row = tile * RowsPerTile; row < last; row++)
                        Result[(long)token * Rows + row] = TWeight.Dot(new ReadOnlySpan<TWeight>(Weights + (long)row * BlocksPerRow, BlocksPerRow), x, in Tail);
                }
            }
        }
    }
}
