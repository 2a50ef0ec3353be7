using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Nibble.Formats;

namespace Nibble.Kernels.Panels;

/// <summary>
/// The product of 16 packed rows and a few tokens on Arm, with the same sums in the same order as that of <see cref="PackedAssembler"/>.
/// The codes of 32 columns become signed numbers in the first-level cache, once for all tokens.
/// </summary>
internal static unsafe class NeonPackedKernel
{
    private const int Rows = RowPanel.Rows, Slots = TokenTiles.Tokens, StepBytes = PackedShape.StepColumns * Rows;

    /// <param name="shape">How the rows are packed.</param>
    /// <param name="arguments">What to multiply.</param>
    /// <param name="tokens">1 to 8, of a tile with one slot where it is 1.</param>
    public static void Run(PackedShape shape, PackedArguments* arguments, int tokens)
    {
        byte* codes = arguments->Weights;
        for (; arguments->Tiles > 0; arguments->Tiles--, arguments->Result += Rows) codes = RunTile(shape, arguments, tokens, codes);
    }

    /// <summary>Returns what comes after the tile.</summary>
    [SkipLocalsInit]
    private static byte* RunTile(PackedShape shape, PackedArguments* arguments, int tokens, byte* codes)
    {
        float* rows = stackalloc float[2 * Slots * Rows], blocks = rows + Slots * Rows, scales = stackalloc float[2 * Rows], offsets = shape.HasOffsets ? scales + Rows : null;
        int* sums = stackalloc int[Slots * Rows];
        sbyte* numbers = stackalloc sbyte[StepBytes];
        new Span<float>(rows, 2 * Slots * Rows).Clear();
        byte* header = null;
        sbyte* values = arguments->Tokens;
        float* tokenScales = arguments->TokenScales;
        int* negatedSums = arguments->NegatedSums;
        Vector128<byte> table = shape.HasTable ? Vector128.Load(arguments->Table) ^ Vector128.Create((byte)128) : default; // without its bias
        // What is left of the bias in the numbers: whole bytes lose it when they become signed.
        int bias = shape.HasTable || shape.Bits == 8 ? 0 : shape.Bias, slots = tokens == 1 ? 1 : Slots, columnsAtATime = Math.Min(shape.Group, PackedShape.StepColumns);
        for (long block = 0; block < arguments->Blocks; block++, tokenScales += slots)
        {
            if (block % shape.BlocksPerRun == 0)
            {
                header = codes;
                codes += shape.BlocksPerRun * shape.HeaderBytes;
            }
            else header += shape.HeaderBytes;
            for (int column = 0; column < shape.Block; column += columnsAtATime)
            {
                int inStep = column % PackedShape.StepColumns;
                if (inStep == 0)
                {
                    Unpack(shape, codes, table, numbers);
                    codes += shape.CodeBytes;
                }
                if (column % shape.Group == 0) new Span<int>(sums, Slots * Rows).Clear();
                if (slots == 1) NeonTile.AddOne(numbers + inStep * Rows, columnsAtATime, values, sums);
                else NeonTile.Add(numbers + inStep * Rows, columnsAtATime, values, tokens, sums);
                if (bias > 0) TakeOff(bias, negatedSums, tokens, sums);
                if ((column + columnsAtATime) % shape.Group == 0)
                {
                    UnpackScales(shape.Scales, header, column / shape.Group, scales);
                    if (shape.HasOffsets) UnpackScales(shape.Scales, header + shape.ScaleBytes, column / shape.Group, offsets);
                    NeonTile.EndGroup(sums, tokens, scales, offsets, negatedSums, blocks);
                }
                values += columnsAtATime * slots;
                negatedSums += slots;
            }
            NeonTile.EndBlock(blocks, tokens, tokenScales, rows);
        }
        for (int token = 0; token < tokens; token++)
            new Span<float>(rows + token * Rows, Rows).CopyTo(new Span<float>((byte*)arguments->Result + token * arguments->ResultStride, Rows));
        return codes;
    }

    private static void TakeOff(int bias, int* negatedSums, int tokens, int* sums)
    {
        for (int token = 0; token < tokens; token++)
        {
            Vector128<int> excess = Vector128.Create(negatedSums[token] * bias);
            for (int* sum = sums + token * Rows, end = sum + Rows; sum < end; sum += 4) (Vector128.Load(sum) + excess).Store(sum);
        }
    }

    /// <summary>The numbers of a step, <c>[8, 16, 4]</c>.</summary>
    private static void Unpack(PackedShape shape, byte* codes, Vector128<byte> table, sbyte* numbers)
    {
        byte* target = (byte*)numbers;
        switch (shape.Bits)
        {
            case 1: UnpackPlane(codes, 1, 0, target); break;
            case 2: UnpackPlane(codes, 2, 0, target); break;
            case 3:
                UnpackPlane(codes, 2, 0, target);
                UnpackPlane(codes + 2 * PackedShape.RowsBytes, 1, 2, target);
                break;
            case 4: UnpackPlane(codes, 4, 0, target); break;
            case 5:
                UnpackPlane(codes, 4, 0, target);
                UnpackPlane(codes + 4 * PackedShape.RowsBytes, 1, 4, target);
                break;
            case 6:
                UnpackPlane(codes, 4, 0, target);
                UnpackPlane(codes + 4 * PackedShape.RowsBytes, 2, 4, target);
                break;
            default:
                for (int i = 0; i < StepBytes; i += 16) (Vector128.Load(codes + i) ^ Vector128.Create((byte)128)).Store(target + i);
                break;
        }
        for (int i = 0; shape.HasTable && i < StepBytes; i += 16) Vector128.Shuffle(table, Vector128.Load(target + i)).Store(target + i);
    }

    /// <summary>Takes the codes out of a plane of <paramref name="bits"/>, see <see cref="PackedRows.Place"/>, to bits <paramref name="first"/> on of the numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void UnpackPlane(byte* plane, int bits, int first, byte* numbers)
    {
        Vector128<byte> mask = Vector128.Create((byte)((1 << bits) - 1));
        int stride = bits * PackedShape.RowsBytes;
        for (int place = 0; place < stride; place += 16)
        {
            Vector128<byte> codes = Vector128.Load(plane + place);
            for (byte* target = numbers + place; target < numbers + StepBytes; target += stride)
            {
                Vector128<byte> number = (codes & mask) << first;
                if (first > 0) number |= Vector128.Load(target);
                number.Store(target);
                codes >>>= bits;
            }
        }
    }

    /// <summary>The scales of a group in single precision, <c>[16]</c>.</summary>
    private static void UnpackScales(PackedScales kind, byte* header, int group, float* scales)
    {
        for (int row = 0; row < Rows; row += 8)
        {
            Vector128<float> low, high;
            switch (kind)
            {
                case PackedScales.One:
                    (low, high) = (Vector128.Load((float*)header + row), Vector128.Load((float*)header + row + 4));
                    break;
                case PackedScales.Multiples:
                    Vector128<short> multiples = Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)(header + PackedShape.RowsBytes + group * Rows + row)).AsSByte());
                    low = Vector128.ConvertToSingle(Vector128.WidenLower(multiples)) * Vector128.Load((float*)header + row);
                    high = Vector128.ConvertToSingle(Vector128.WidenUpper(multiples)) * Vector128.Load((float*)header + row + 4);
                    break;
                case PackedScales.Halves:
                    (low, high) = F16.Widen(Vector128.Load((ushort*)header + group * Rows + row));
                    break;
                default:
                    (low, high) = BF16.Widen(Vector128.Load((ushort*)header + group * Rows + row));
                    break;
            }
            low.Store(scales + row);
            high.Store(scales + row + 4);
        }
    }
}
