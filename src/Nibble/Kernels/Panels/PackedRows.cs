using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Nibble.Formats;

namespace Nibble.Kernels.Panels;

/// <summary>
/// Packs 16 rows of weights as a <see cref="PackedShape"/> says: for each block its scales and offsets, then step by step the codes.
/// Quad q of a step, its columns 4q to 4q + 3, is a vector of 64 bytes, four for each row. In a plane of b bits its codes are in vector
/// q % b of b vectors, shifted left by b * (q / b) bits; codes of 3, 5 and 6 bits have their lower 2 or 4 in a first plane.
/// </summary>
internal static unsafe class PackedRows
{
    private const int QuadsPerStep = PackedShape.StepColumns / 4;

    /// <summary>Bytes of 16 rows.</summary>
    public static long Bytes(PackedShape shape, int columns) => ((long)columns / shape.Block * shape.BlockBytes + 63) / 64 * 64;

    /// <summary>Where the codes of a quad are in a plane.</summary>
    public static (int Vector, int Shift) Place(int bits, int quad) => (quad % bits, bits * (quad / bits));

    /// <param name="weights">The first block of the first row.</param>
    /// <param name="blocksPerRow">Blocks of a row.</param>
    /// <param name="rows">1 to 16; the others are zero.</param>
    /// <param name="shape">How to pack.</param>
    /// <param name="target">Becomes <see cref="Bytes"/> bytes.</param>
    [SkipLocalsInit]
    public static void Pack<TWeight>(TWeight* weights, int blocksPerRow, int rows, PackedShape shape, byte* target) where TWeight : unmanaged, IAvx2Levels<TWeight>
    {
        Levels* levels = stackalloc Levels[RowPanel.Rows];
        byte* step = stackalloc byte[QuadsPerStep * PackedShape.RowsBytes];
        for (int row = rows; row < RowPanel.Rows; row++) levels[row] = default;
        LevelCoding coding = TWeight.Coding;
        for (int b = 0; b < blocksPerRow; b++)
        {
            for (int row = 0; row < rows; row++)
            {
                TWeight.Unpack(in weights[(long)row * blocksPerRow + b], ref levels[row]);
                Encode((byte*)&levels[row].Numbers, TWeight.BlockSize, coding);
            }
            for (int block = 0; block < TWeight.BlockSize; block += shape.Block)
            {
                PutScales<TWeight>(levels, block, shape, target);
                target += shape.HeaderBytes;
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

    private static void PutScales<TWeight>(Levels* levels, int firstColumn, PackedShape shape, byte* target) where TWeight : unmanaged, IAvx2Levels<TWeight>
    {
        for (int row = 0; row < RowPanel.Rows; row++)
        {
            ref Levels from = ref levels[row];
            Put(from.Unit, (sbyte*)&levels[row].Multiples, (float*)&levels[row].Scales, target);
            if (shape.HasOffsets) Put(from.OffsetUnit, (sbyte*)&levels[row].OffsetMultiples, (float*)&levels[row].Offsets, target + shape.ScaleBytes);

            void Put(float unit, sbyte* multiples, float* scales, byte* to)
            {
                if (shape.Scales is PackedScales.Multiples or PackedScales.One) ((float*)to)[row] = unit;
                for (int group = 0; group < shape.GroupsPerBlock && shape.Scales != PackedScales.One; group++)
                {
                    float scale = scales[(firstColumn + group * shape.Group) / TWeight.GroupSize];
                    int place = group * RowPanel.Rows + row;
                    if (shape.Scales == PackedScales.Multiples) (to + PackedShape.RowsBytes)[place] = (byte)multiples[group];
                    else if (shape.Scales == PackedScales.Halves) ((Half*)to)[place] = (Half)scale;
                    else ((ushort*)to)[place] = (ushort)(BitConverter.SingleToUInt32Bits(scale) >> 16);
                }
            }
        }
    }

    private static void PutCodes(byte* step, int bits, byte* target)
    {
        int low = bits switch { 3 => 2, 5 or 6 => 4, _ => bits };
        PutPlane(step, from: 0, low, target);
        if (bits > low) PutPlane(step, from: low, bits - low, target + low * PackedShape.RowsBytes);
    }

    /// <summary>Bits <paramref name="from"/> to <c>from + bits - 1</c> of each code.</summary>
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
