using System.Runtime.Intrinsics.X86;
using Nibble.Formats;
using Nibble.Kernels.Panels;
using Nibble.Memory;

namespace Nibble.Kernels;

/// <summary>
/// A matrix of floating-point numbers, which multiply with activations in single precision: one token at a time row by row, several
/// with panels of 16 rows, widened once for all of them.
/// </summary>
internal sealed unsafe class FloatMatrix<TWeight, TActivation>(WeightFormat format, MemoryRegion data, int rows, int columns)
    : WeightMatrix<TWeight, TActivation>(format, data, rows, columns)
    where TWeight : unmanaged, IWeightBlock<TWeight, TActivation>
    where TActivation : unmanaged, IBlock<TActivation>
{
    /// <summary>From so many tokens on, widening pays.</summary>
    private const int FewestTokens = 4;

    public override void Multiply(Activations input, Activations result, WorkerPool pool)
    {
        if (input.Tokens < FewestTokens || !Avx2.IsSupported || Columns % 8 != 0)
        {
            base.Multiply(input, result, pool);
            return;
        }
        Prepare(input, result);
        Work work = new() { Weights = Weights, Rows = Rows, Columns = Columns, Tokens = input.Tokens, Tiles = input.AsFloatTiles(pool), Result = result.WritePointer };
        pool.Run(work, (Rows + RowPanel.Rows - 1) / RowPanel.Rows);
        GC.KeepAlive(input);
        GC.KeepAlive(result);
        GC.KeepAlive(this);
    }

    private struct Work : IWork
    {
        public TWeight* Weights;
        public int Rows, Columns, Tokens;
        public float* Tiles, Result;

        public readonly void Run(int start, int end)
        {
            long panelValues = (long)RowPanel.Rows * Columns;
            float* panel = (float*)ThreadScratch.Take(2 * panelValues * sizeof(float)), widened = panel + panelValues;
            float* edge = stackalloc float[TokenTiles.Tokens * RowPanel.Rows];
            for (int tile = start; tile < end; tile++)
            {
                int row = tile * RowPanel.Rows, rows = Math.Min(RowPanel.Rows, Rows - row);
                Pack(row, rows, widened, panel);
                for (int token = 0; token < Tokens; token += TokenTiles.Tokens)
                {
                    int tokens = Math.Min(TokenTiles.Tokens, Tokens - token);
                    float* result = Result + (long)token * Rows + row;
                    bool fits = rows == RowPanel.Rows && tokens == TokenTiles.Tokens;
                    FloatKernel.Run(panel, Tiles + (long)token * Columns, Columns, fits ? result : edge, fits ? Rows : RowPanel.Rows);
                    for (int t = 0; t < tokens && !fits; t++)
                        new Span<float>(edge + t * RowPanel.Rows, rows).CopyTo(new Span<float>(result + (long)t * Rows, rows));
                }
            }
        }

        private readonly void Pack(int firstRow, int rows, float* widened, float* panel)
        {
            for (int row = 0; row < rows; row++)
                TWeight.Dequantize(new(Weights + (long)(firstRow + row) * Columns, Columns), new(widened + (long)row * Columns, Columns));
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
}
