using Nibble.Formats;
using Nibble.Kernels.Panels;
using Nibble.Memory;

namespace Nibble.Kernels;

/// <summary>
/// A matrix of levels. Where the processor has AVX-512 VNNI, or is an Arm one, its rows are packed 16 side by side when it is first used, and multiplied so
/// with any number of tokens. Elsewhere one token is multiplied row by row, and several with panels of 16 rows, unpacked once for all of them.
/// </summary>
internal sealed unsafe class LevelMatrix<TWeight, TActivation>(WeightFormat format, MemoryRegion data, int rows, int columns)
    : WeightMatrix<TWeight, TActivation, NoTail>(format, data, rows, columns)
    where TWeight : unmanaged, IWeightBlock<TWeight, TActivation>, ILevels<TWeight>
    where TActivation : unmanaged, IActivationBlock<TActivation>
{
    /// <summary>From so many tokens on, unpacking pays.</summary>
    private const int FewestTokens = 3;

    private static readonly PackedShape s_packedShape = PackedShape.Of<TWeight, TActivation>();

    // Looked up once per format: threads come by thousands of times a second.
    private static readonly PackedKernel? s_packedKernel = PackedKernel.TryGet(s_packedShape);

    private readonly long _packedTileBytes = PackedRows.Bytes(s_packedShape, columns);

    private readonly Lock _packing = new();
    private volatile AlignedBuffer? _packed;

    internal override long BytesInUse => MayRepack && s_packedKernel is not null ? Tiles * _packedTileBytes : Bytes;

    internal override long OwnBytes => _packed?.Length ?? 0;

    private static PanelShape Shape => new(RowPanel.Group<TWeight>(), TActivation.BlockSize, TWeight.HasOffsets);

    /// <summary>Those that are packed count as packed, once they are.</summary>
    internal override long BytesRead => _packed?.Length ?? base.BytesRead;

    public override string Kernel(int tokens) =>
        MayRepack && s_packedKernel is not null ? $"packed 16 rows, {KernelChoice.PackedRows}"
        : !UsesPanels(tokens) ? base.Kernel(tokens)
        : $"panels of 16 rows, {KernelChoice.Panels}";

    internal override ProductInput Prepare(Activations input, WorkerPool pool)
    {
        if (MayRepack && s_packedKernel is { } kernel)
        {
            if (_packed is null) lock (_packing) _packed ??= Pack(pool);
            kernel.Prepare(input.Tokens);
            return new() { Tokens = input.Tokens, Tiles = input.AsTiles<TActivation>(pool).Read(s_packedShape.Group) };
        }
        if (!UsesPanels(input.Tokens)) return base.Prepare(input, pool);
        return new() { Tokens = input.Tokens, Tiles = input.AsTiles<TActivation>(pool).Read(Shape.Group) };
    }

    internal override void MultiplyTiles(in ProductInput input, float* result, int start, int end)
    {
        if (_packed is { } packed && s_packedKernel is { } kernel) MultiplyPacked(kernel, packed, in input, result, start, end);
        else if (!UsesPanels(input.Tokens)) base.MultiplyTiles(in input, result, start, end);
        else if (VnniKernel.TryGet(Shape, out VnniKernel vnni)) MultiplyTiles(vnni, in input, result, start, end);
        else if (InstructionSets.HasAvx512) MultiplyTiles(new Avx512Kernel(Shape, TWeight.Coding), in input, result, start, end);
        else if (InstructionSets.HasNeon) MultiplyTiles(new NeonKernel(Shape), in input, result, start, end);
        else MultiplyTiles(new Avx2Kernel(Shape, TWeight.Coding), in input, result, start, end);
    }

    private static bool UsesPanels(int tokens) => tokens >= FewestTokens && InstructionSets.HasVectors;

    private void MultiplyTiles<TKernel>(TKernel kernel, in ProductInput input, float* result, int start, int end) where TKernel : struct, IPanelKernel
    {
        byte* panel = ThreadScratch.Take(RowPanel.Bytes<TWeight>(Columns));
        float* edge = stackalloc float[TokenTiles.Tokens * RowPanel.Rows];
        PanelArguments arguments = new() { Blocks = Columns / TActivation.BlockSize };
        for (int tile = start; tile < end; tile++)
        {
            int row = tile * RowPanel.Rows, rows = Math.Min(RowPanel.Rows, Rows - row);
            RowPanel.Pack(Weights + (long)row * BlocksPerRow, BlocksPerRow, rows, kernel.Bias, panel, ref arguments);
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
                if (!fits) RowPanel.CopyResult(edge, tokens, rows, target, Rows);
            }
        }
    }

    /// <summary>
    /// Eight tokens pass all the tiles, then the next eight: the tiles stay in the second-level cache meanwhile, and the tokens, which take
    /// as much as they, are fetched once.
    /// </summary>
    private void MultiplyPacked(PackedKernel kernel, AlignedBuffer packed, in ProductInput input, float* result, int start, int end)
    {
        PackedShape shape = s_packedShape;
        float* edge = stackalloc float[TokenTiles.Tokens * RowPanel.Rows];
        byte* table = stackalloc byte[64];
        for (int i = 0; shape.HasTable && i < 64; i++) table[i] = (byte)((i % 16 < TWeight.Coding.Table.Length ? TWeight.Coding.Table[i % 16] : 0) + 128);
        PackedArguments arguments = new() { Table = table, Blocks = Columns / TActivation.BlockSize };
        int whole = Math.Min(end, Rows / RowPanel.Rows);
        for (int token = 0; token < input.Tokens; token += TokenTiles.Tokens)
        {
            int tokens = Math.Min(TokenTiles.Tokens, input.Tokens - token), inKernel = input.Tokens == 1 ? 1 : Math.Max(2, tokens), tile = start;
            input.Tiles.Select(token / TokenTiles.Tokens, ref arguments);
            // A kernel writes whole vectors of rows, and tokens up to a power of two: what goes beyond the result is put aside.
            if (whole > start && (tokens == TokenTiles.Tokens || input.Tokens == 1))
            {
                arguments.Weights = packed.Pointer + start * _packedTileBytes;
                arguments.Result = result + (long)token * Rows + (long)start * RowPanel.Rows;
                arguments.ResultStride = (long)Rows * sizeof(float);
                arguments.Tiles = whole - start;
                kernel.Run(&arguments, inKernel);
                tile = whole;
            }
            for (; tile < end; tile++)
            {
                int row = tile * RowPanel.Rows;
                arguments.Weights = packed.Pointer + tile * _packedTileBytes;
                arguments.Result = edge;
                arguments.ResultStride = RowPanel.Rows * sizeof(float);
                arguments.Tiles = 1;
                kernel.Run(&arguments, inKernel);
                RowPanel.CopyResult(edge, tokens, Math.Min(RowPanel.Rows, Rows - row), result + (long)token * Rows + row, Rows);
            }
        }
    }

    private protected override void Free()
    {
        _packed?.Dispose();
        _packed = null;
    }

    private AlignedBuffer Pack(WorkerPool pool)
    {
        AlignedBuffer packed = AlignedBuffer.ForStreaming(Tiles * _packedTileBytes);
        pool.Run(new PackWork(this, packed), Tiles);
        if (Data.Owner is MappedFile file) file.Release(Data);
        return packed;
    }

    private readonly struct PackWork(LevelMatrix<TWeight, TActivation> matrix, AlignedBuffer packed) : IWork
    {
        public void Run(int start, int end)
        {
            for (int tile = start; tile < end; tile++)
            {
                int row = tile * RowPanel.Rows;
                PackedRows.Pack(matrix.Weights + (long)row * matrix.BlocksPerRow, matrix.BlocksPerRow, Math.Min(RowPanel.Rows, matrix.Rows - row), s_packedShape, packed.Pointer + tile * matrix._packedTileBytes);
            }
        }
    }
}
