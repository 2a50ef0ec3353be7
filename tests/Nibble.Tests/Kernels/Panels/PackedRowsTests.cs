using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Nibble.Formats;
using Nibble.Kernels.Panels;
using Nibble.Tests.Formats;

namespace Nibble.Tests.Kernels.Panels;

/// <summary>Packed rows, read back as their description says.</summary>
public sealed unsafe class PackedRowsTests
{
    public static TheoryData<string> Formats => PanelKernelTests.Formats;

    [Theory]
    [MemberData(nameof(Formats))]
    public void Every_weight_and_scale_is_where_it_should_be(string name)
    {
        Assert.SkipUnless(Avx2.IsSupported || AdvSimd.Arm64.IsSupported, "rows are packed with AVX2, or on Arm64");
        Assert.True(WeightFormat.TryParse(name, out WeightFormat? format));
        Assert.True(format.TryAccept(new RoundTrip(), out _));
    }

    private sealed class RoundTrip : ILevelVisitor<bool>
    {
        bool ILevelVisitor<bool>.Visit<TWeight, TActivation>()
        {
            const int BlocksPerRow = 3;
            PackedShape shape = PackedShape.Of<TWeight, TActivation>();
            Random random = new(1);
            foreach (int rows in (int[])[1, 7, 16])
            {
                TWeight[] weights = RandomBlocks.Create<TWeight>(random, rows * BlocksPerRow, () => random.NextSingle() + 0.5f);
                int columns = BlocksPerRow * TWeight.BlockSize;
                byte[] packed = new byte[PackedRows.Bytes(shape, columns)];
                fixed (TWeight* first = weights) fixed (byte* target = packed) PackedRows.Pack(first, BlocksPerRow, rows, shape, target);
                float[] expected = new float[weights.Length * TWeight.BlockSize];
                TWeight.Dequantize(weights, expected);
                for (int row = 0; row < 16; row++)
                    for (int c = 0; c < columns; c++) Assert.Equal(row < rows ? expected[row * columns + c] : 0, Read(packed, shape, TWeight.Coding, row, c));
            }
            return true;
        }
    }

    /// <summary>One weight, from the bytes of 16 rows.</summary>
    private static float Read(byte[] packed, PackedShape shape, LevelCoding coding, int row, int column)
    {
        // Headers of 32 bytes stand in pairs in front of two blocks.
        int together = shape.HeaderBytes == 32 ? 2 : 1, block = column / shape.Block, run = block / together, inRun = block % together, inBlock = column % shape.Block, group = inBlock / shape.Group;
        int start = run * together * (shape.HeaderBytes + shape.BodyBytes) + inRun * shape.HeaderBytes;
        int codes = start + (together - inRun) * shape.HeaderBytes + inRun * shape.BodyBytes + inBlock / 32 * shape.CodeBytes, quad = inBlock % 32 / 4, place = row * 4 + inBlock % 4;
        int low = shape.Bits switch { 3 => 2, 5 or 6 => 4, _ => shape.Bits };
        int code = Plane(codes, low);
        if (low < shape.Bits) code |= Plane(codes + low * 64, shape.Bits - low) << low;
        int number = coding.Table.Length > 0 ? coding.Table[code] : code - coding.Bias;
        float scaled = Scale(start) * number;
        return shape.HasOffsets ? scaled + Scale(start + shape.ScaleBytes) : scaled;

        int Plane(int at, int bits) => packed[at + quad % bits * 64 + place] >> quad / bits * bits & (1 << bits) - 1;

        float Scale(int at) => shape.Scales switch
        {
            PackedScales.One => BitConverter.ToSingle(packed, at + row * 4),
            PackedScales.Multiples => BitConverter.ToSingle(packed, at + row * 4) * (sbyte)packed[at + 64 + group * 16 + row],
            PackedScales.Halves => (float)BitConverter.ToHalf(packed, at + (group * 16 + row) * 2),
            _ => BitConverter.UInt32BitsToSingle((uint)BitConverter.ToUInt16(packed, at + (group * 16 + row) * 2) << 16),
        };
    }
}
