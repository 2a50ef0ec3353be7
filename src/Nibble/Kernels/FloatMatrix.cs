using Nibble.Formats;
using Nibble.Kernels.Panels;
using Nibble.Memory;

namespace Nibble.Kernels;

/// <summary>
/// A matrix of floating-point numbers, which multiply with activations in single precision: up to three tokens row by row, more
/// with panels of 16 rows, widened once for all of them. Rows are copied to large pages when they are first used: from those of a mapped
/// file, which are small, memory delivers half as much.
/// </summary>
internal sealed unsafe class FloatMatrix<TWeight, TActivation, TTail>(WeightFormat format, MemoryRegion data, int rows, int columns)
    : WeightMatrix<TWeight, TActivation, TTail>(format, data, rows, columns)
    where TWeight : unmanaged, ITensorBlock<TWeight, TActivation, TTail>
    where TActivation : unmanaged, IBlock<TActivation>
    where TTail : unmanaged
{
    /// <summary>From so many tokens on, widening pays.</summary>
    private const int FewestTokens = 4;

    private readonly FloatRowKernel? _rows = columns % FloatRowAssembler.ColumnsAtATime == 0 ? FloatRowKernel.TryGet<TWeight>() : null;

    private readonly Lock _copying = new();
    private volatile AlignedBuffer? _copy;

    internal override long OwnBytes => _copy?.Length ?? 0;

    protected override TWeight* Weights => _copy is { } copy ? (TWeight*)copy.Pointer : base.Weights;

    public override string Kernel(int tokens) =>
        UsesPanels(tokens) ? $"panels of 16 rows, {KernelChoice.FloatPanels}" : _rows is not null ? $"row by row, {KernelChoice.FloatPanels}" : base.Kernel(tokens);

    internal override ProductInput Prepare(Activations input, WorkerPool pool)
    {
        if (MayRepack && _copy is null) lock (_copying) _copy ??= Copy(pool);
        return UsesPanels(input.Tokens) ? new() { Tokens = input.Tokens, FloatTiles = input.AsFloatTiles(pool) } : base.Prepare(input, pool);
    }

    internal override void MultiplyTiles(in ProductInput input, float* result, int start, int end)
    {
        if (!UsesPanels(input.Tokens))
        {
            if (_rows is not null) MultiplyRows(_rows, in input, result, start, end);
            else base.MultiplyTiles(in input, result, start, end);
            return;
        }
        long panelValues = (long)RowPanel.Rows * Columns;
        float* panel = (float*)ThreadScratch.Take(2 * panelValues * sizeof(float)), widened = panel + panelValues;
        float* edge = stackalloc float[TokenTiles.Tokens * RowPanel.Rows];
        for (int tile = start; tile < end; tile++)
        {
            int row = tile * RowPanel.Rows, rows = Math.Min(RowPanel.Rows, Rows - row);
            Pack(row, rows, widened, panel);
            for (int token = 0; token < input.Tokens; token += TokenTiles.Tokens)
            {
                int tokens = Math.Min(TokenTiles.Tokens, input.Tokens - token);
                float* target = result + (long)token * Rows + row;
                bool fits = rows == RowPanel.Rows && tokens == TokenTiles.Tokens;
                FloatKernel.Run(panel, input.FloatTiles + (long)token * Columns, Columns, fits ? target : edge, fits ? Rows : RowPanel.Rows);
                if (!fits) RowPanel.CopyResult(edge, tokens, rows, target, Rows);
            }
        }
    }

    private protected override void Free()
    {
        _copy?.Dispose();
        _copy = null;
    }

    private AlignedBuffer Copy(WorkerPool pool)
    {
        AlignedBuffer copy = AlignedBuffer.ForStreaming(Data.Length);
        pool.Run(new CopyWork(Data, copy), (int)((Data.Length + CopyWork.BytesAtATime - 1) / CopyWork.BytesAtATime));
        if (Data.Owner is MappedFile file) file.Release(Data);
        return copy;
    }

    private void MultiplyRows(FloatRowKernel kernel, in ProductInput input, float* result, int start, int end)
    {
        for (int row = start * RowsPerTile; row < Math.Min(Rows, end * RowsPerTile); row++)
            for (int token = 0; token < input.Tokens; token++)
                result[(long)token * Rows + row] = kernel.Dot(Weights + (long)row * Columns, (float*)input.Blocks + (long)token * Columns, Columns);
    }

    /// <summary>Widths that no vector of eight divides are too rare for code of their own.</summary>
    private bool UsesPanels(int tokens) => tokens >= FewestTokens && InstructionSets.HasVectors && Columns % 8 == 0;

    private void Pack(int firstRow, int rows, float* widened, float* panel)
    {
        for (int row = 0; row < rows; row++)
            ReadHeldRow(firstRow + row, new(widened + (long)row * Columns, Columns));
        new Span<float>(widened + (long)rows * Columns, (RowPanel.Rows - rows) * Columns).Clear();
        long stride = (long)Columns * sizeof(float);
        for (int c = 0; c < Columns; c += 8)
        {
            byte* target = (byte*)(panel + (long)c * RowPanel.Rows);
            Transposition.EightByEight((byte*)(widened + c), stride, bias: 0, target, RowPanel.Rows * sizeof(float));
            Transposition.EightByEight((byte*)(widened + c) + 8 * stride, stride, bias: 0, target + 32, RowPanel.Rows * sizeof(float));
        }
    }

    private readonly struct CopyWork(MemoryRegion source, AlignedBuffer target) : IWork
    {
        public const int BytesAtATime = 1 << 20;

        public void Run(int start, int end)
        {
            long first = (long)start * BytesAtATime, last = Math.Min(source.Length, (long)end * BytesAtATime);
            Buffer.MemoryCopy(source.Pointer + first, target.Pointer + first, last - first, last - first);
        }
    }
}
