using System.Runtime.CompilerServices;
using Nibble.Formats;

namespace Nibble.Kernels.Panels;

/// <summary>
/// 16 rows of weights taken apart into bytes and single-precision scales, in the order in which a <see cref="IPanelKernel"/> reads them:
/// numbers <c>[columns / 4, 16, 4]</c>, then scales and offsets <c>[columns / group, 16]</c> each. It is made anew for every product of
/// several tokens, in the second-level cache; the file's own blocks stay all there is in memory.
/// </summary>
internal static unsafe class RowPanel
{
    public const int Rows = 16;

    /// <summary>Weights whose scales are told apart: finer than the activations' at least.</summary>
    public static int Group<TWeight>() where TWeight : unmanaged, ILevels<TWeight> => Math.Min(TWeight.GroupSize, 32);

    /// <summary>Bytes of a panel.</summary>
    public static long Bytes<TWeight>(int columns) where TWeight : unmanaged, ILevels<TWeight> =>
        (long)Rows * columns + 2 * ScaleBytes<TWeight>(columns);

    /// <summary>Unpacks rows and points <paramref name="arguments"/> to them.</summary>
    /// <param name="weights">The first block of the first row.</param>
    /// <param name="blocksPerRow">Blocks of a row.</param>
    /// <param name="rows">1 to 16; the others of the panel are zero.</param>
    /// <param name="bias">Added to every number, modulo 256.</param>
    /// <param name="panel"><see cref="Bytes"/> bytes.</param>
    /// <param name="arguments">Gets the weights' addresses.</param>
    [SkipLocalsInit]
    public static void Pack<TWeight>(TWeight* weights, int blocksPerRow, int rows, byte bias, byte* panel, ref PanelArguments arguments)
        where TWeight : unmanaged, ILevels<TWeight>
    {
        int columns = blocksPerRow * TWeight.BlockSize, group = Group<TWeight>(), groupsPerBlock = TWeight.BlockSize / group;
        byte* numbers = panel;
        float* scales = (float*)(panel + (long)Rows * columns), offsets = (float*)((byte*)scales + ScaleBytes<TWeight>(columns));
        arguments.Weights = numbers;
        arguments.Scales = scales;
        arguments.Offsets = offsets;

        Levels* levels = stackalloc Levels[Rows];
        for (int row = rows; row < Rows; row++) levels[row] = default;
        for (int b = 0; b < blocksPerRow; b++)
        {
            for (int row = 0; row < rows; row++)
            {
                TWeight.Unpack(in weights[(long)row * blocksPerRow + b], ref levels[row]);
                float* unpacked = (float*)&levels[row].Scales;
                for (int g = 0; g < groupsPerBlock; g++) scales[g * Rows + row] = unpacked[g * group / TWeight.GroupSize];
                if (!TWeight.HasOffsets) continue;
                unpacked = (float*)&levels[row].Offsets;
                for (int g = 0; g < groupsPerBlock; g++) offsets[g * Rows + row] = unpacked[g * group / TWeight.GroupSize];
            }
            for (int row = rows; row < Rows; row++)
                for (int g = 0; g < groupsPerBlock; g++) scales[g * Rows + row] = offsets[g * Rows + row] = 0;
            for (int c = 0; c < TWeight.BlockSize; c += 32)
            {
                byte* source = (byte*)&levels[0].Numbers + c;
                Transposition.EightByEight(source, sizeof(Levels), bias, numbers, Rows * 4);
                Transposition.EightByEight(source + 8 * sizeof(Levels), sizeof(Levels), bias, numbers + 32, Rows * 4);
                numbers += Rows * 32;
            }
            scales += groupsPerBlock * Rows;
            offsets += groupsPerBlock * Rows;
        }
    }

    /// <summary>Copies what a kernel wrote, <c>[tokens, 16]</c>, to where fewer rows or tokens are left.</summary>
    /// <param name="result">What the kernel wrote.</param>
    /// <param name="tokens">Tokens to copy.</param>
    /// <param name="rows">Rows to copy.</param>
    /// <param name="target">Where the first row of the first token belongs.</param>
    /// <param name="stride">Values from one token to the next there.</param>
    public static void CopyResult(float* result, int tokens, int rows, float* target, long stride)
    {
        for (int t = 0; t < tokens; t++) new Span<float>(result + t * Rows, rows).CopyTo(new Span<float>(target + t * stride, rows));
    }

    private static long ScaleBytes<TWeight>(int columns) where TWeight : unmanaged, ILevels<TWeight> =>
        (long)columns / Group<TWeight>() * Rows * sizeof(float);
}
