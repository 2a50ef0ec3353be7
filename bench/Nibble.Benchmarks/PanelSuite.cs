using Nibble.Formats;
using Nibble.Kernels.Panels;
using Nibble.Memory;

namespace Nibble.Benchmarks;

/// <summary>
/// What a product of several tokens consists of, on one thread and in the caches: taking 16 rows of 2,048 weights apart, and multiplying
/// them with 8 tokens. The last column is the speed of a prompt of 128 tokens that these two allow.
/// </summary>
internal static unsafe class PanelSuite
{
    private const int Columns = 2048, PromptTokens = 128;

    public static void Run(params ReadOnlySpan<string> formats)
    {
        Report.Start("panels", "format", "unpacking, 10^9 weights/s", "multiplying, 10^9 multiply-adds/s", "both for 128 tokens, 10^9 multiply-adds/s", "packing, 10^9 weights/s", "packed, 8 tokens, 10^9 multiply-adds/s", "packed, 1 token, GB/s");
        foreach (WeightFormat format in WeightFormat.All.OrderBy(f => f.BitsPerWeight))
        {
            if (formats.Length > 0 && !formats.Contains(format.Name)) continue;
            if (!format.TryAccept(new Visitor(), out (double Pack, double Multiply, double Repack, double Eight, double One, double Bytes) seconds)) continue;
            double weights = RowPanel.Rows * Columns;
            Report.Row(format.Name, Report.Number(weights / seconds.Pack / 1e9, 1), Report.Number(weights * TokenTiles.Tokens / seconds.Multiply / 1e9, 0),
                Report.Number(weights * PromptTokens / (seconds.Pack + seconds.Multiply * PromptTokens / TokenTiles.Tokens) / 1e9, 0),
                Report.Number(weights / seconds.Repack / 1e9, 1), Report.Number(weights * TokenTiles.Tokens / seconds.Eight / 1e9, 0), Report.Number(seconds.Bytes / seconds.One / 1e9, 1));
        }
    }

    /// <summary>Seconds for a panel.</summary>
    private sealed class Visitor : ILevelVisitor<(double Pack, double Multiply, double Repack, double Eight, double One, double Bytes)>
    {
        public (double Pack, double Multiply, double Repack, double Eight, double One, double Bytes) Visit<TWeight, TActivation>()
            where TWeight : unmanaged, IWeightBlock<TWeight, TActivation>, ILevels<TWeight>
            where TActivation : unmanaged, IActivationBlock<TActivation>
        {
            Random random = new(1);
            float[] values = new float[RowPanel.Rows * Columns], importance = new float[values.Length];
            for (int i = 0; i < values.Length; i++) values[i] = (random.NextSingle() + random.NextSingle() + random.NextSingle() - 1.5f) * 0.05f;
            Array.Fill(importance, 1);
            TWeight[] weights = new TWeight[values.Length / TWeight.BlockSize];
            TWeight.Quantize(values, importance, weights);

            using AlignedBuffer panel = new(RowPanel.Bytes<TWeight>(Columns)), result = new(TokenTiles.Tokens * RowPanel.Rows * sizeof(float)), input = new(TokenTiles.Tokens * Columns * sizeof(float));
            using TokenTiles tiles = new();
            using Kernels.WorkerPool pool = new(1);
            values.AsSpan(0, TokenTiles.Tokens * Columns).CopyTo(input.AsSpan<float>(0, TokenTiles.Tokens * Columns));
            tiles.Fill<TActivation>((float*)input.Pointer, TokenTiles.Tokens, Columns, pool);

            PanelShape shape = new(RowPanel.Group<TWeight>(), TActivation.BlockSize, TWeight.HasOffsets);
            PanelArguments arguments = new() { Blocks = Columns / TActivation.BlockSize, Result = (float*)result.Pointer, ResultStride = RowPanel.Rows * sizeof(float) };
            tiles.Read(shape.Group).Select(0, ref arguments);
            bool hasVnni = VnniKernel.TryGet(shape, out VnniKernel vnni), hasAvx512 = InstructionSets.HasAvx512;
            Avx512Kernel avx512 = new(shape, TWeight.Coding);
            Avx2Kernel avx2 = new(shape, TWeight.Coding);
            byte bias = hasVnni ? vnni.Bias : hasAvx512 ? avx512.Bias : avx2.Bias;
            double pack = Measure.Best(() =>
            {
                fixed (TWeight* first = weights) RowPanel.Pack(first, Columns / TWeight.BlockSize, RowPanel.Rows, bias, panel.Pointer, ref arguments);
            });
            PanelArguments ready = arguments;
            double multiply = Measure.Best(() =>
            {
                PanelArguments copy = ready;
                if (hasVnni) vnni.Run(&copy, TokenTiles.Tokens);
                else if (hasAvx512) avx512.Run(&copy, TokenTiles.Tokens);
                else avx2.Run(&copy, TokenTiles.Tokens);
            });

            PackedShape packedShape = PackedShape.Of<TWeight, TActivation>();
            if (PackedKernel.TryGet(packedShape) is not { } kernel) return (pack, multiply, double.NaN, double.NaN, double.NaN, 0);
            using AlignedBuffer packed = new(PackedRows.Bytes(packedShape, Columns)), table = new(64);
            using TokenTiles single = new();
            single.Fill<TActivation>((float*)input.Pointer, 1, Columns, pool);
            double repack = Measure.Best(() =>
            {
                fixed (TWeight* first = weights) PackedRows.Pack(first, Columns / TWeight.BlockSize, RowPanel.Rows, packedShape, packed.Pointer);
            });
            PackedArguments eight = new() { Weights = packed.Pointer, Table = table.Pointer, Blocks = Columns / TActivation.BlockSize, Result = (float*)result.Pointer, ResultStride = RowPanel.Rows * sizeof(float), Tiles = 1 }, one = eight;
            tiles.Read(packedShape.Group).Select(0, ref eight);
            single.Read(packedShape.Group).Select(0, ref one);
            kernel.Prepare(TokenTiles.Tokens);
            double secondsOfEight = Measure.Best(() =>
            {
                PackedArguments copy = eight;
                kernel.Run(&copy, TokenTiles.Tokens);
            });
            double secondsOfOne = Measure.Best(() =>
            {
                PackedArguments copy = one;
                kernel.Run(&copy, 1);
            });
            return (pack, multiply, repack, secondsOfEight, secondsOfOne, packed.Length);
        }
    }
}
