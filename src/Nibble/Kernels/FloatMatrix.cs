using Nibble.Formats;
using Nibble.Kernels.Panels;
using Nibble.Memory;

namespace Nibble.Kernels;

/// <summary>
/// A matrix of floating-point numbers, which multiply with activations in single precision: one token at a time row by row, several
/// with panels of 16 rows, widened once for all of them.
/// </summary>
internal sealed unsafe class FloatMatrix<TWeight, TActivation, TTail>(WeightFormat format, MemoryRegion data, int rows, int columns)
    : WeightMatrix<TWeight, TActivation, TTail>(format, data, rows, columns)
    where TWeight : unmanaged, ITensorBlock<TWeight, TActivation, TTail>
    where TActivation : unmanaged, IBlock<TActivation>
    where TTail : unmanaged
{
    /// <summary>From so many tokens on, widening pays.</summary>
    private const int FewestTokens = 4;

    public override string Kernel(int tokens) =>
        !UsesPanels(tokens) ? base.Kernel(tokens) : $"panels of 16 rows, {KernelChoice.FloatPanels}";

    internal override ProductInput Prepare(Activations input, WorkerPool pool) =>
        UsesPanels(input.Tokens) ? new() { Tokens = input.Tokens, FloatTiles = input.AsFloatTiles(pool) } : base.Prepare(input, pool);

    internal override void MultiplyTiles(in ProductInput input, float* result, int start, int end)
    {
        if (!UsesPanels(input.Tokens))
        {
            base.MultiplyTiles(in input, result, start, end);
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

    /// <summary>Widths that no vector of eight divides are too rare for code of their own.</summary>
    private bool UsesPanels(int tokens) => tokens >= FewestTokens && InstructionSets.HasVectors && Columns % 8 == 0;

    private void Pack(int firstRow, int rows, float* widened, float* panel)
    {
        for (int row = 0; row < rows; row++)
            ReadRow(firstRow + row, new(widened + (long)row * Columns, Columns));
        new Span<float>(widened + (long)rows * Columns, (RowPanel.Rows - rows) * Columns).Clear();
        long stride = (long)Columns * sizeof(float);
        for (int c = 0; c < Columns; c += 8)
        {
            byte* target = (byte*)(panel + (long)c * RowPanel.Rows);
            Transposition.EightByEight((byte*)(widened + c), stride, bias: 0, target, RowPanel.Rows * sizeof(float));
            Transposition.EightByEight((byte*)(widened + c) + 8 * stride, stride, bias: 0, target + 32, RowPanel.Rows * sizeof(float));
        }
    }
}
