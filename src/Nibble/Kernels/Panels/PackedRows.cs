using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Nibble.Formats;

namespace Nibble.Kernels.Panels;

/// <summary>
/// Packs 16 rows of weights as a <see cref="PackedShape"/> says: for each run of blocks their headers, scales and offsets, then step by step the codes.
/// Quad q of a step, its columns 4q to 4q + 3, is a vector of 64 bytes, four for each row. In a plane of b bits its codes are in vector
/// q % b of b vectors, shifted left by b * (q / b) bits; codes of 3, 5 and 6 bits have their lower 2 or 4 in a first plane.
/// </summary>
internal static unsafe class PackedRows
{
    private const int QuadsPerStep = PackedShape.StepColumns / 4;

    /// <summary>Bytes of 16 rows.</summary>
    public static long Bytes(PackedShape shape, int columns)
    {
        long blocks = columns / shape.Block, runs = (blocks + shape.BlocksPerRun - 1) / shape.BlocksPerRun;
        return runs * shape.BlocksPerRun * shape.HeaderBytes + blocks * shape.BodyBytes;
    }

    /// <summary>Where the codes of a quad are in a plane.</summary>
    public static (int Vector, int Shift) Place(int bits, int quad) => (quad % bits, bits * (quad / bits));

    /// <param name="weights">The first block of the first row.</param>
    /// <param name="blocksPerRow">Blocks of a row.</param>
    /// <param name="rows">1 to 16; the others are zero.</param>
    /// <param name="shape">How to pack.</param>
    /// <param name="target">Becomes <see cref="Bytes"/> bytes.</param>
    /// <remarks>Compiled at once as well as can be, with all of its parts in one: a model is packed within a second or less, most of which worse code would take.</remarks>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Pack<TWeight>(TWeight* weights, int blocksPerRow, int rows, PackedShape shape, byte* target) where TWeight : unmanaged, ILevels<TWeight>
    {
        Levels* levels = stackalloc Levels[RowPanel.Rows];
        byte* step = stackalloc byte[QuadsPerStep * PackedShape.RowsBytes]; // also to arrange scales in
        for (int row = rows; row < RowPanel.Rows; row++) levels[row] = default;
        LevelCoding coding = TWeight.Coding;
        byte* header = target;
        int inRun = 0; // the block
        for (int b = 0; b < blocksPerRow; b++)
        {
            for (int row = 0; row < rows; row++)
            {
                TWeight.Unpack(in weights[(long)row * blocksPerRow + b], ref levels[row]);
                Encode((byte*)&levels[row].Numbers, TWeight.BlockSize, coding);
            }
            for (int block = 0; block < TWeight.BlockSize; block += shape.Block)
            {
                if (inRun == 0)
                {
                    header = target;
                    target += shape.BlocksPerRun * shape.HeaderBytes;
                }
                PutScales<TWeight>(levels, block, shape, step, header + inRun * shape.HeaderBytes);
                inRun = (inRun + 1) % shape.BlocksPerRun;
                for (int c = block; c < block + shape.Block; c += PackedShape.StepColumns)
                {
                    byte* source = (byte*)&levels[0].Numbers + c;
                    Transposition.EightByEight(source, sizeof(Levels), bias: 0, step, PackedShape.RowsBytes);
                    Transposition.EightByEight(source + 8 * sizeof(Levels), sizeof(Levels), bias: 0, step + 32, PackedShape.RowsBytes);
                    PutCodes(step, shape.Bits, target);
                    target += shape.CodeBytes;
                }
            }
        }
    }

    /// <summary>Replaces numbers by their codes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Encode(byte* numbers, int count, LevelCoding coding)
    {
        for (int i = 0; i < count; i += Vector256<byte>.Count)
        {
            Vector256<byte> number = Vector256.Load(numbers + i), code = number + Vector256.Create((byte)coding.Bias);
            if (coding.Table.Length > 0)
            {
                code = Vector256<byte>.Zero;
                for (int entry = 1; entry < coding.Table.Length; entry++)
                    code = Vector256.ConditionalSelect(Vector256.Equals(number, Vector256.Create((byte)coding.Table[entry])), Vector256.Create((byte)entry), code);
            }
            code.Store(numbers + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PutScales<TWeight>(Levels* levels, int firstColumn, PackedShape shape, byte* scratch, byte* target) where TWeight : unmanaged, ILevels<TWeight>
    {
        int firstGroup = firstColumn / TWeight.GroupSize;
        if (shape.Scales is PackedScales.Multiples or PackedScales.One)
        {
            for (int row = 0; row < RowPanel.Rows; row++) ((float*)target)[row] = levels[row].Unit;
            if (shape.Scales == PackedScales.Multiples) Transposition.Bytes16((byte*)&levels[0].Multiples, sizeof(Levels), scratch, target + PackedShape.RowsBytes, shape.GroupsPerBlock);
            if (!shape.HasOffsets) return;
            target += shape.ScaleBytes;
            for (int row = 0; row < RowPanel.Rows; row++) ((float*)target)[row] = levels[row].OffsetUnit;
            if (shape.Scales == PackedScales.Multiples) Transposition.Bytes16((byte*)&levels[0].OffsetMultiples, sizeof(Levels), scratch, target + PackedShape.RowsBytes, shape.GroupsPerBlock);
            return;
        }
        for (int group = 0; group < shape.GroupsPerBlock; group++)
        {
            int index = firstGroup + group * shape.Group / TWeight.GroupSize;
            PutRow((float*)&levels[0].Scales + index, shape.Scales, (float*)scratch, target + group * RowPanel.Rows * 2);
            if (shape.HasOffsets) PutRow((float*)&levels[0].Offsets + index, shape.Scales, (float*)scratch, target + shape.ScaleBytes + group * RowPanel.Rows * 2);
        }
    }

    /// <summary>The scales of one group, for each row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PutRow(float* first, PackedScales kind, float* scales, byte* target)
    {
        for (int row = 0; row < RowPanel.Rows; row++) scales[row] = *(float*)((byte*)first + (long)row * sizeof(Levels));
        if (kind == PackedScales.Halves) TensorPrimitives.ConvertToHalf(new ReadOnlySpan<float>(scales, RowPanel.Rows), new Span<Half>(target, RowPanel.Rows));
        else for (int row = 0; row < RowPanel.Rows; row++) ((ushort*)target)[row] = (ushort)(BitConverter.SingleToUInt32Bits(scales[row]) >> 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PutCodes(byte* step, int bits, byte* target)
    {
        int low = bits switch { 3 => 2, 5 or 6 => 4, _ => bits };
        PutPlane(step, from: 0, low, target);
        if (bits > low) PutPlane(step, from: low, bits - low, target + low * PackedShape.RowsBytes);
    }

    /// <summary>Bits <paramref name="from"/> to <c>from + bits - 1</c> of each code.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PutPlane(byte* step, int from, int bits, byte* target)
    {
        Vector256<ushort> mask = Vector256.Create((byte)((1 << bits) - 1)).AsUInt16();
        for (int vector = 0; vector < bits; vector++)
        {
            for (int half = 0; half < PackedShape.RowsBytes; half += Vector256<byte>.Count)
            {
                Vector256<ushort> plane = Vector256<ushort>.Zero;
                for (int quad = vector; quad < QuadsPerStep; quad += bits)
                    plane |= (Vector256.Load(step + quad * PackedShape.RowsBytes + half).AsUInt16() >> from & mask) << Place(bits, quad).Shift;
                plane.AsByte().Store(target + vector * PackedShape.RowsBytes + half);
            }
        }
    }
}
