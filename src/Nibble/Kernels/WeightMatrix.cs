using Nibble.Formats;
using Nibble.Memory;

namespace Nibble.Kernels;

/// <summary>A matrix of weights <c>[rows, columns]</c> in any format, as it lies in a model file.</summary>
public abstract unsafe class WeightMatrix
{
    /// <summary>Rows of a tile: what a thread takes at a time is one or several of them.</summary>
    internal const int RowsPerTile = 16;

    private int _holders = 1; // those that read the weights, and one until the matrix is released
    private volatile bool _released;

    private protected WeightMatrix(WeightFormat format, MemoryRegion data, int rows, int columns)
    {
        Format = format;
        Data = data;
        Rows = rows;
        Columns = columns;
    }

    public WeightFormat Format { get; }

    public int Rows { get; }

    public int Columns { get; }

    /// <summary>
    /// Whether the weights may be arranged anew in memory to suit the processor, in about as many bytes as they have in the file. To be
    /// set before the first product.
    /// </summary>
    public bool MayRepack { get; set; } = true;

    internal long Bytes => Data.Length;

    /// <summary>Bytes that a product reads.</summary>
    internal virtual long BytesRead => Data.Length;

    /// <summary>Bytes of memory that the weights take when they are multiplied: those of the file, or of what they are packed to.</summary>
    internal virtual long BytesInUse => Bytes;

    /// <summary>Bytes of memory that hold the weights once more, arranged to suit the processor.</summary>
    internal virtual long OwnBytes => 0;

    private protected MemoryRegion Data { get; }

    internal int Tiles => (Rows + RowsPerTile - 1) / RowsPerTile;

    /// <param name="format">The format of the blocks.</param>
    /// <param name="data">The blocks, row after row, and the tensor's tail where the format has one; it must stay valid as long as the matrix is in use.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Columns, a multiple of the format's block size.</param>
    public static WeightMatrix Create(WeightFormat format, MemoryRegion data, int rows, int columns)
    {
        ArgumentNullException.ThrowIfNull(format);
        if (columns % format.BlockSize != 0 || format.TensorBytes((long)rows * columns) != data.Length)
            throw new ArgumentException($"[{rows}, {columns}] of {format} does not take {data.Length} bytes", nameof(data));
        Creator creator = new(format, data, rows, columns);
        return format.TryAccept(creator, out WeightMatrix? matrix) ? matrix : format.Accept(creator);
    }

    /// <summary>For every token t and row r: <c>result[t, r] = Σ_c weight[r, c] · input[t, c]</c>.</summary>
    /// <param name="input"><c>[tokens, Columns]</c></param>
    /// <param name="result">Becomes <c>[tokens, Rows]</c>.</param>
    /// <param name="pool">The threads to use; the result does not depend on their number.</param>
    public void Multiply(Activations input, Activations result, WorkerPool pool)
    {
        ProductList products = default;
        products.Add(this, input, result, pool);
        products.Multiply(pool);
    }

    /// <summary>Which code multiplies that many tokens on this machine, in a few words for people: how the weights lie, and the instructions.</summary>
    public virtual string Kernel(int tokens) => $"row by row, {KernelChoice.Rows ?? "no vectors"}";

    /// <summary>Writes the values of one row, <c>[Columns]</c>.</summary>
    public abstract void ReadRow(int row, Span<float> destination);

    /// <summary>Keeps the weights in memory until <see cref="LetGo"/>.</summary>
    /// <exception cref="ObjectDisposedException">The matrix is released.</exception>
    internal void Hold()
    {
        int holders = Volatile.Read(ref _holders);
        while (true)
        {
            ObjectDisposedException.ThrowIf(_released, this);
            int found = Interlocked.CompareExchange(ref _holders, holders + 1, holders);
            if (found == holders) return;
            holders = found;
        }
    }

    /// <summary>Ends a <see cref="Hold"/>.</summary>
    internal void LetGo()
    {
        if (Interlocked.Decrement(ref _holders) == 0) Free();
    }

    /// <summary>Gives back <see cref="OwnBytes"/>, as soon as no product is at work; products that begin later throw.</summary>
    internal void Release()
    {
        if (!Interlocked.Exchange(ref _released, true)) LetGo();
    }

    /// <summary>Frees what the matrix has allocated; called once, when nobody reads it any more.</summary>
    private protected virtual void Free() { }

    /// <summary>Stores an input in the form in which the matrix takes that many tokens.</summary>
    internal abstract ProductInput Prepare(Activations input, WorkerPool pool);

    /// <summary>Multiplies tiles <paramref name="start"/> to <c>end - 1</c>, on any thread.</summary>
    internal abstract void MultiplyTiles(in ProductInput input, float* result, int start, int end);

    private sealed class Creator(WeightFormat format, MemoryRegion data, int rows, int columns) : IWeightVisitor<WeightMatrix>, ILevelVisitor<WeightMatrix>
    {
        WeightMatrix ILevelVisitor<WeightMatrix>.Visit<TWeight, TActivation>() => new LevelMatrix<TWeight, TActivation>(format, data, rows, columns);

        WeightMatrix IWeightVisitor<WeightMatrix>.Visit<TWeight, TActivation, TTail>() => typeof(TActivation) == typeof(F32)
            ? new FloatMatrix<TWeight, TActivation, TTail>(format, data, rows, columns)
            : new WeightMatrix<TWeight, TActivation, TTail>(format, data, rows, columns);
    }
}

/// <summary>A matrix of a format, multiplied row by row.</summary>
internal unsafe class WeightMatrix<TWeight, TActivation, TTail>(WeightFormat format, MemoryRegion data, int rows, int columns)
    : WeightMatrix(format, data, rows, columns)
    where TWeight : unmanaged, ITensorBlock<TWeight, TActivation, TTail>
    where TActivation : unmanaged, IBlock<TActivation>
    where TTail : unmanaged
{
    private readonly TTail _tail = WeightFormat<TWeight, TActivation, TTail>.TailOf(data.AsSpan<byte>(data.Length - format.TailBytes, format.TailBytes));

    /// <summary>The first block.</summary>
    protected virtual TWeight* Weights => (TWeight*)Data.Pointer;

    protected int BlocksPerRow { get; } = columns / TWeight.BlockSize;

    public override void ReadRow(int row, Span<float> destination)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Rows, nameof(row));
        Hold();
        try
        {
            ReadHeldRow(row, destination);
        }
        finally
        {
            LetGo();
        }
    }

    /// <summary><see cref="ReadRow"/> of a row that there is, while the matrix is held.</summary>
    protected void ReadHeldRow(int row, Span<float> destination) =>
        TWeight.Dequantize(new ReadOnlySpan<TWeight>(Weights + (long)row * BlocksPerRow, BlocksPerRow), in _tail, destination);

    internal override ProductInput Prepare(Activations input, WorkerPool pool) => new() { Tokens = input.Tokens, Blocks = input.As<TActivation>(pool) };

    internal override void MultiplyTiles(in ProductInput input, float* result, int start, int end)
    {
        int inputBlocks = Columns / TActivation.BlockSize;
        for (int tile = start; tile < end; tile++)
        {
            int last = Math.Min(Rows, (tile + 1) * RowsPerTile);
            for (int token = 0; token < input.Tokens; token++)
            {
                ReadOnlySpan<TActivation> x = new((TActivation*)input.Blocks + (long)token * inputBlocks, inputBlocks);
                for (int row = tile * RowsPerTile; row < last; row++)
                    result[(long)token * Rows + row] = TWeight.Dot(new ReadOnlySpan<TWeight>(Weights + (long)row * BlocksPerRow, BlocksPerRow), x, in _tail);
            }
        }
    }
}
