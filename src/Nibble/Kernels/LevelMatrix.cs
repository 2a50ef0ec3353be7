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

    internal override ProductInput Prepare(Activations input, WorkerPool pool)
    {
        if (!UsesPanels(input.Tokens)) return base.Prepare(input, pool);
        return new() { Tokens = input.Tokens, Tiles = input.AsTiles<TActivation>(pool).Read(Shape.Group) };
    }

    internal override void MultiplyTiles(in ProductInput input, float* result, int start, int end)
    {
        if (!UsesPanels(input.Tokens)) base.MultiplyTiles(in input, result, start, end);
        else if (VnniKernel.TryGet(Shape, out VnniKernel vnni)) MultiplyTiles(vnni, in input, result, start, end);
        else MultiplyTiles(new Avx2Kernel(Shape), in input, result, start, end);
    }

    private static bool UsesPanels(int tokens) => tokens >= FewestTokens && Avx2.IsSupported;

    private void MultiplyTiles<TKernel>(TKernel kernel, in ProductInput input, float* result, int start, int end) where TKernel : struct, IPanelKernel
    {
        byte* panel = ThreadScratch.Take(RowPanel.Bytes<TWeight>(Columns));
        float* edge = stackalloc float[TokenTiles.Tokens * RowPanel.Rows];
        PanelArguments arguments = new() { Blocks = Columns / TActivation.BlockSize };
        for (int tile = start; tile < end; tile++)
        {
            int row = tile * RowPanel.Rows, rows = Math.Min(RowPanel.Rows, Rows - row);
            RowPanel.Pack(Weights + (long)row * BlocksPerRow, BlocksPerRow, rows, TKernel.Bias, panel, ref arguments);
            for (int token = 0; token < input.Tokens; token += TokenTiles.Tokens)
            {
                int tokens = Math.Min(TokenTiles.Tokens, input.Tokens - token);
                float* target = result + (long)token * Rows + row;
                // A kernel writes whole vectors of rows, and tokens up to a power of two.
                bool fits = rows == RowPanel.Rows && tokens == TokenTiles.Tokens;
                arguments.Result = fits ? target : edge;
                arguments.ResultStride = (fits ? Rows : RowPanel.Rows) * sizeof(float);
                input.Tiles.Select(token / TokenTiles.Tokens, ref arguments);
                kernel.Run(&arguments, tokens);
                for (int t = 0; t < tokens && !fits; t++)
                    new Span<float>(edge + t * RowPanel.Rows, rows).CopyTo(new Span<float>(target + (long)t * Rows, rows));
            }
        }
    }
}
