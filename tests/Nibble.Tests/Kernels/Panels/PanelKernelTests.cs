using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Nibble.Formats;
using Nibble.Kernels;
using Nibble.Kernels.Panels;
using Nibble.Memory;
using Nibble.Tests.Formats;

namespace Nibble.Tests.Kernels.Panels;

/// <summary>Every kernel that this processor can run, whatever <c>NIBBLE_ISA</c> says, at guard pages.</summary>
public sealed unsafe class PanelKernelTests
{
    private delegate void Kernel(PanelArguments* arguments, int tokens);

    private delegate void PackedRun(PackedArguments* arguments, int tokens);

    public static TheoryData<string> Formats => [.. WeightFormat.All.Where(f => f.TryAccept(new IsLevels(), out _)).Select(f => f.Name)];

    [Theory]
    [MemberData(nameof(Formats))]
    public void Panels_give_exact_sums_for_every_number_of_rows_tokens_and_blocks(string format) => Visit(format, new ExactPanels());

    [Theory]
    [MemberData(nameof(Formats))]
    public void Packed_rows_give_exact_sums_for_every_number_of_rows_tokens_and_blocks(string format) => Visit(format, new ExactPackedRows());

    [Theory]
    [MemberData(nameof(Formats))]
    public void Nothing_saturates(string format) => Visit(format, new Extremes());

    private static void Visit(string name, ILevelVisitor<bool> visitor)
    {
        Assert.SkipUnless(Avx2.IsSupported || AdvSimd.Arm64.IsSupported, "rows are taken apart with AVX2, or on Arm64");
        Assert.True(WeightFormat.TryParse(name, out WeightFormat? format));
        Assert.True(format.TryAccept(visitor, out _));
    }

    private static IEnumerable<(int Rows, int Blocks, int Tokens)> Sizes()
    {
        for (int rows = 1; rows <= RowPanel.Rows; rows++) yield return (rows, 1 + rows % 3, 1 + rows % 8);
        for (int tokens = 1; tokens <= TokenTiles.Tokens; tokens++) yield return (16, 1 + tokens % 5, tokens);
        for (int blocks = 1; blocks <= 9; blocks += 2) yield return (13, blocks, 8);
    }

    /// <summary>The kernels that the processor has, with the bias of each.</summary>
    private static List<(string Name, byte Bias, Kernel Run)> Kernels(PanelShape shape, LevelCoding coding)
    {
        if (AdvSimd.Arm64.IsSupported) return [("Arm64", new NeonKernel(shape).Bias, new NeonKernel(shape).Run)];
        Avx2Kernel avx2 = new(shape, coding, hasVnni: false), avxVnni = new(shape, coding, hasVnni: true);
        List<(string, byte, Kernel)> kernels = [("AVX2", avx2.Bias, avx2.Run)];
        if (AvxVnni.IsSupported) kernels.Add(("AVX-VNNI", avxVnni.Bias, avxVnni.Run));
        if (Avx512BW.IsSupported) kernels.Add(("AVX-512", new Avx512Kernel(shape, coding).Bias, new Avx512Kernel(shape, coding).Run));
        if (VnniKernel.TryGet(shape, out VnniKernel vnni)) kernels.Add(("AVX-512 VNNI", vnni.Bias, vnni.Run));
        return kernels;
    }

    /// <summary>Multiplies with every kernel and passes on the results, <c>[8, 16]</c>.</summary>
    private static void MultiplyPanels<TWeight, TActivation>(TWeight[] weights, float[] input, int rows, int columns, int tokens, Action<string, float[]> check)
        where TWeight : unmanaged, IWeightBlock<TWeight, TActivation>, ILevels<TWeight>
        where TActivation : unmanaged, IActivationBlock<TActivation>
    {
        PanelShape shape = new(RowPanel.Group<TWeight>(), TActivation.BlockSize, TWeight.HasOffsets);
        using GuardedMemory<TWeight> guarded = new(weights);
        // Two tokens at least, since a single one has a tile of another form.
        int filled = Math.Max(2, tokens);
        using GuardedMemory<float> values = new([.. input, .. new float[(filled - tokens) * columns]]);
        using WorkerPool pool = new(1);
        using TokenTiles tiles = new();
        tiles.Fill<TActivation>((float*)Address(values.Span), filled, columns, pool);
        TokenTiles.View view = tiles.Read(shape.Group);
        using GuardedMemory<byte> tile = new(new ReadOnlySpan<byte>(view.Start, (int)view.TileBytes)), panel = new(new byte[RowPanel.Bytes<TWeight>(columns)]);
        view.Start = (byte*)Address(tile.Span);
        foreach ((string name, byte bias, Kernel run) in Kernels(shape, TWeight.Coding))
        {
            using GuardedMemory<float> result = new(new float[TokenTiles.Tokens * RowPanel.Rows]);
            PanelArguments arguments = new() { Blocks = columns / TActivation.BlockSize, Result = (float*)Address(result.Span), ResultStride = RowPanel.Rows * sizeof(float) };
            view.Select(0, ref arguments);
            RowPanel.Pack((TWeight*)Address(guarded.Span), columns / TWeight.BlockSize, rows, bias, (byte*)Address(panel.Span), ref arguments);
            run(&arguments, tokens);
            check(name, result.Span.ToArray());
        }
    }

    /// <summary>As <see cref="MultiplyPanels"/>, with packed rows.</summary>
    private static float[] MultiplyPacked<TWeight, TActivation>(PackedKernel kernel, PackedShape shape, TWeight[] weights, float[] input, int rows, int columns, int tokens)
        where TWeight : unmanaged, IWeightBlock<TWeight, TActivation>, ILevels<TWeight>
        where TActivation : unmanaged, IActivationBlock<TActivation>
    {
        using GuardedMemory<TWeight> guarded = new(weights);
        using GuardedMemory<float> values = new(input), result = new(new float[TokenTiles.Tokens * RowPanel.Rows]);
        using WorkerPool pool = new(1);
        using TokenTiles tiles = new();
        using AlignedBuffer table = new(64);
        kernel.Prepare(tokens);
        for (int i = 0; i < 64; i++) table.AsSpan<byte>(i, 1)[0] = (byte)((i % 16 < TWeight.Coding.Table.Length ? TWeight.Coding.Table[i % 16] : 0) + 128);
        tiles.Fill<TActivation>((float*)Address(values.Span), tokens, columns, pool);
        TokenTiles.View view = tiles.Read(shape.Group);
        using GuardedMemory<byte> tile = new(new ReadOnlySpan<byte>(view.Start, (int)view.TileBytes)), packed = new(new byte[PackedRows.Bytes(shape, columns)]);
        view.Start = (byte*)Address(tile.Span);
        PackedRows.Pack((TWeight*)Address(guarded.Span), columns / TWeight.BlockSize, rows, shape, (byte*)Address(packed.Span));
        PackedArguments arguments = new()
        {
            Weights = (byte*)Address(packed.Span),
            Table = (byte*)Address(table.AsSpan<byte>(0, 64)),
            Blocks = columns / TActivation.BlockSize,
            Result = (float*)Address(result.Span),
            ResultStride = RowPanel.Rows * sizeof(float),
            Tiles = 1,
        };
        view.Select(0, ref arguments);
        kernel.Run(&arguments, tokens);
        return result.Span.ToArray();
    }

    private static void* Address<T>(Span<T> memory) where T : unmanaged => System.Runtime.CompilerServices.Unsafe.AsPointer(ref MemoryMarshal.GetReference(memory));

    private sealed class IsLevels : ILevelVisitor<bool>
    {
        bool ILevelVisitor<bool>.Visit<TWeight, TActivation>() => true;
    }

    private sealed class ExactPanels : ILevelVisitor<bool>
    {
        bool ILevelVisitor<bool>.Visit<TWeight, TActivation>()
        {
            foreach ((int rows, int blocks, int tokens) in Sizes())
            {
                LevelProduct<TWeight, TActivation> product = new(rows, blocks * TWeight.BlockSize, tokens);
                MultiplyPanels<TWeight, TActivation>(product.Weights, product.Input, rows, product.Columns, tokens, (name, result) => product.AssertExact(result, RowPanel.Rows, name));
            }
            return true;
        }
    }

    private sealed class ExactPackedRows : ILevelVisitor<bool>
    {
        bool ILevelVisitor<bool>.Visit<TWeight, TActivation>()
        {
            PackedShape shape = PackedShape.Of<TWeight, TActivation>();
            PackedKernel? kernel = PackedKernel.TryGet(shape);
            Assert.SkipUnless(kernel is not null, "needs AVX-512 VNNI or Arm64");
            foreach ((int rows, int blocks, int tokens) in Sizes())
            {
                LevelProduct<TWeight, TActivation> product = new(rows, blocks * TWeight.BlockSize, tokens);
                product.AssertExact(MultiplyPacked<TWeight, TActivation>(kernel, shape, product.Weights, product.Input, rows, product.Columns, tokens), RowPanel.Rows, "packed rows");
            }
            return true;
        }
    }

    /// <summary>Blocks of equal bytes with tokens of ±127: what a sum of 16 bits could not hold would miss by far more than rounding.</summary>
    private sealed class Extremes : ILevelVisitor<bool>
    {
        bool ILevelVisitor<bool>.Visit<TWeight, TActivation>()
        {
            const int Rows = 2, Tokens = 8, Periods = 16;
            int columns = Math.Max(TWeight.BlockSize, TActivation.BlockSize);
            PackedShape shape = PackedShape.Of<TWeight, TActivation>();
            PackedKernel? kernel = PackedKernel.TryGet(shape);
            foreach (byte extreme in (byte[])[0x00, 0x7f, 0x80, 0xff])
            {
                TWeight[] weights = new TWeight[Rows * columns / TWeight.BlockSize];
                MemoryMarshal.AsBytes(weights.AsSpan()).Fill(extreme);
                for (int b = 0; b < weights.Length; b++) RandomBlocks.SetScales(ref weights[b], () => 1);
                float[] values = new float[Rows * columns], input = new float[Tokens * columns];
                TWeight.Dequantize(weights, values);
                for (int i = 0; i < input.Length; i++) input[i] = i % columns / (1 + i / columns % Periods) % 2 == 0 ? 127 : -127;
                void Check(string name, float[] result)
                {
                    for (int i = 0; i < Tokens * Rows; i++)
                    {
                        (int token, int row) = (i / Rows, i % Rows);
                        double sum = 0, size = 0;
                        for (int c = 0; c < columns; c++)
                        {
                            double term = (double)values[row * columns + c] * input[token * columns + c];
                            (sum, size) = (sum + term, size + 2 * Math.Abs(term));
                        }
                        // Scale times number and offset may each be larger than their sum.
                        double tolerance = 32 * Math.Pow(2, -24) * (size + 127.0 * columns * 64 * 64);
                        Assert.True(Math.Abs(sum - result[token * RowPanel.Rows + row]) <= tolerance, $"{name}, {TWeight.Name} of {extreme:x2}: {result[token * RowPanel.Rows + row]} instead of {sum}");
                    }
                }
                MultiplyPanels<TWeight, TActivation>(weights, input, Rows, columns, Tokens, Check);
                if (kernel is not null) Check("packed rows", MultiplyPacked<TWeight, TActivation>(kernel, shape, weights, input, Rows, columns, Tokens));
            }
            return true;
        }
    }
}
