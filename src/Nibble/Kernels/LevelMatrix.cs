using System.Runtime.Intrinsics.X86;
using Nibble.Formats;
using Nibble.Kernels.Panels;
using Nibble.Memory;

namespace Nibble.Kernels;

/// <summary>
/// A matrix of levels. One token at a time is multiplied row by row, which reads the blocks as fast as memory delivers them; several
/// tokens are multiplied with panels of 16 rows, unpacked once for all of them.
/// </summary>
internal sealed unsafe class LevelMatrix<TWeight, TActivation>(WeightFormat format, MemoryRegion data, int rows, int columns)
    : WeightMatrix<TWeight, TActivation>(format, data, rows, columns)
    where TWeight : unmanaged, IWeightBlock<TWeight, TActivation>, IAvx2Levels<TWeight>
    where TActivation : unmanaged, IActivationBlock<TActivation>
{
    /// <summary>From so many tokens on, unpacking pays.</summary>
    private const int FewestTokens = 3;

    private static PanelShape Shape => new(RowPanel.Group<TWeight>(), TActivation.BlockSize, TWeight.HasOffsets);

    public override void Multiply(Activations input, Activations result, WorkerPool pool)
    {
        if (input.Tokens >= FewestTokens && VnniKernel.TryCreate(Shape, out VnniKernel vnni)) Multiply(vnni, input, result, pool);
        else if (input.Tokens >= FewestTokens && Avx2.IsSupported) Multiply(new Avx2Kernel(Shape), input, result, pool);
        else base.Multiply(input, result, pool);
    }

    private void Multiply<TKernel>(TKernel kernel, Activations input, Activations result, WorkerPool pool) where TKernel : unmanaged, IPanelKernel
    {
        Prepare(input, result);
        Work<TKernel> work = new()
        {
            Kernel = kernel,
            Weights = Weights,
            BlocksPerRow = BlocksPerRow,
            Rows = Rows,
            Tokens = input.Tokens,
            Tiles = input.AsTiles<TActivation>(pool).Read(Shape.Group),
            Result = result.WritePointer,
        };
        pool.Run(work, (Rows + RowPanel.Rows - 1) / RowPanel.Rows);
        GC.KeepAlive(input);
        GC.KeepAlive(result);
        GC.KeepAlive(this);
    }

    private struct Work<TKernel> : IWork where TKernel : unmanaged, IPanelKernel
    {
        public TKernel Kernel;
        public TWeight* Weights;
        public int BlocksPerRow, Rows, Tokens;
        public TokenTiles.View Tiles;
        public float* Result;

        public readonly void Run(int start, int end)
        {
            int columns = BlocksPerRow * TWeight.BlockSize;
            byte* panel = ThreadScratch.Take(RowPanel.Bytes<TWeight>(columns));
            float* edge = stackalloc float[TokenTiles.Tokens * RowPanel.Rows];
            PanelArguments arguments = new() { Blocks = columns / TActivation.BlockSize };
            for (int tile = start; tile < end; tile++)
            {
                int row = tile * RowPanel.Rows, rows = Math.Min(RowPanel.Rows, Rows - row);
                RowPanel.Pack(Weights + (long)row * BlocksPerRow, BlocksPerRow, rows, TKernel.Bias, panel, ref arguments);
                for (int token = 0; token < Tokens; token += TokenTiles.Tokens)
                {
                    int tokens = Math.Min(TokenTiles.Tokens, Tokens - token);
                    float* result = Result + (long)token * Rows + row;
                    // A kernel writes whole vectors of rows, and tokens up to a power of two.
                    bool fits = rows == RowPanel.Rows && tokens == TokenTiles.Tokens;
                    arguments.Result = fits ? result : edge;
                    arguments.ResultStride = (fits ? Rows : RowPanel.Rows) * sizeof(float);
                    Tiles.Select(token / TokenTiles.Tokens, ref arguments);
                    Kernel.Run(&arguments, tokens);
                    for (int t = 0; t < tokens && !fits; t++)
                        new Span<float>(edge + t * RowPanel.Rows, rows).CopyTo(new Span<float>(result + (long)t * Rows, rows));
                }
            }
        }
    }
}
