using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using Nibble.Formats;

namespace Nibble.Kernels.Panels;

/// <summary>
/// The parts of a product of 16 rows and a few tokens on Arm. Four vectors are the 16 rows; the integer sums of a group of four tokens are in
/// registers while products are added, and all sums else in the first-level cache, <c>[tokens, 16]</c>.
/// </summary>
internal static unsafe class NeonTile
{
    private const int Rows = RowPanel.Rows, TokensAtATime = 4;

    /// <summary>Adds the products of one token's columns to its sums.</summary>
    /// <param name="weights">Numbers, <c>[columns / 4, 16, 4]</c>.</param>
    /// <param name="columns">A multiple of 16.</param>
    /// <param name="token">The token's numbers, <c>[columns]</c>.</param>
    /// <param name="sums"><c>[16]</c></param>
    public static void AddOne(sbyte* weights, int columns, sbyte* token, int* sums)
    {
        Vector128<int> sum0 = Vector128.Load(sums), sum1 = Vector128.Load(sums + 4), sum2 = Vector128.Load(sums + 8), sum3 = Vector128.Load(sums + 12);
        for (sbyte* end = token + columns; token < end; token += 16, weights += 16 * Rows)
        {
            Vector128<sbyte> x = Vector128.Load(token);
            sum0 = Add(sum0, weights, x);
            sum1 = Add(sum1, weights + 16, x);
            sum2 = Add(sum2, weights + 32, x);
            sum3 = Add(sum3, weights + 48, x);
        }
        sum0.Store(sums);
        sum1.Store(sums + 4);
        sum2.Store(sums + 8);
        sum3.Store(sums + 12);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static Vector128<int> Add(Vector128<int> sum, sbyte* fourRows, Vector128<sbyte> x)
        {
            sum = NeonProducts.AddSelected(sum, Vector128.Load(fourRows), x, 0);
            sum = NeonProducts.AddSelected(sum, Vector128.Load(fourRows + 4 * Rows), x, 1);
            sum = NeonProducts.AddSelected(sum, Vector128.Load(fourRows + 8 * Rows), x, 2);
            return NeonProducts.AddSelected(sum, Vector128.Load(fourRows + 12 * Rows), x, 3);
        }
    }

    /// <summary>Adds the products of the columns of up to 8 tokens to their sums, four tokens at a time.</summary>
    /// <param name="weights">Numbers, <c>[columns / 4, 16, 4]</c>.</param>
    /// <param name="columns">A multiple of 4.</param>
    /// <param name="tokens">The tokens' numbers, <c>[columns / 4, 8, 4]</c>.</param>
    /// <param name="count">Tokens; sums are added for a multiple of four.</param>
    /// <param name="sums"><c>[8, 16]</c></param>
    public static void Add(sbyte* weights, int columns, sbyte* tokens, int count, int* sums)
    {
        for (int token = 0; token < count; token += TokensAtATime) AddFour(weights, columns, tokens + token * 4, sums + token * Rows);
    }

    private static void AddFour(sbyte* weights, int columns, sbyte* tokens, int* sums)
    {
        Vector128<int> sum00 = Vector128.Load(sums), sum01 = Vector128.Load(sums + 4), sum02 = Vector128.Load(sums + 8), sum03 = Vector128.Load(sums + 12);
        Vector128<int> sum10 = Vector128.Load(sums + 16), sum11 = Vector128.Load(sums + 20), sum12 = Vector128.Load(sums + 24), sum13 = Vector128.Load(sums + 28);
        Vector128<int> sum20 = Vector128.Load(sums + 32), sum21 = Vector128.Load(sums + 36), sum22 = Vector128.Load(sums + 40), sum23 = Vector128.Load(sums + 44);
        Vector128<int> sum30 = Vector128.Load(sums + 48), sum31 = Vector128.Load(sums + 52), sum32 = Vector128.Load(sums + 56), sum33 = Vector128.Load(sums + 60);
        for (sbyte* end = weights + columns * Rows; weights < end; weights += 4 * Rows, tokens += 4 * TokenTiles.Tokens)
        {
            Vector128<sbyte> x = Vector128.Load(tokens), w = Vector128.Load(weights);
            sum00 = NeonProducts.AddSelected(sum00, w, x, 0);
            sum10 = NeonProducts.AddSelected(sum10, w, x, 1);
            sum20 = NeonProducts.AddSelected(sum20, w, x, 2);
            sum30 = NeonProducts.AddSelected(sum30, w, x, 3);
            w = Vector128.Load(weights + 16);
            sum01 = NeonProducts.AddSelected(sum01, w, x, 0);
            sum11 = NeonProducts.AddSelected(sum11, w, x, 1);
            sum21 = NeonProducts.AddSelected(sum21, w, x, 2);
            sum31 = NeonProducts.AddSelected(sum31, w, x, 3);
            w = Vector128.Load(weights + 32);
            sum02 = NeonProducts.AddSelected(sum02, w, x, 0);
            sum12 = NeonProducts.AddSelected(sum12, w, x, 1);
            sum22 = NeonProducts.AddSelected(sum22, w, x, 2);
            sum32 = NeonProducts.AddSelected(sum32, w, x, 3);
            w = Vector128.Load(weights + 48);
            sum03 = NeonProducts.AddSelected(sum03, w, x, 0);
            sum13 = NeonProducts.AddSelected(sum13, w, x, 1);
            sum23 = NeonProducts.AddSelected(sum23, w, x, 2);
            sum33 = NeonProducts.AddSelected(sum33, w, x, 3);
        }
        Put(sum00, sum01, sum02, sum03, sums);
        Put(sum10, sum11, sum12, sum13, sums + Rows);
        Put(sum20, sum21, sum22, sum23, sums + 2 * Rows);
        Put(sum30, sum31, sum32, sum33, sums + 3 * Rows);

        static void Put(Vector128<int> a, Vector128<int> b, Vector128<int> c, Vector128<int> d, int* target)
        {
            a.Store(target);
            b.Store(target + 4);
            c.Store(target + 8);
            d.Store(target + 12);
        }
    }

    /// <summary>Adds the sums of a group, scaled, to those of the block.</summary>
    /// <param name="sums"><c>[tokens, 16]</c></param>
    /// <param name="tokens">Tokens.</param>
    /// <param name="scales"><c>[16]</c></param>
    /// <param name="offsets"><c>[16]</c>, or null where there are none.</param>
    /// <param name="negatedSums">Minus the sums of the tokens' numbers, <c>[tokens]</c>.</param>
    /// <param name="blocks"><c>[tokens, 16]</c></param>
    public static void EndGroup(int* sums, int tokens, float* scales, float* offsets, int* negatedSums, float* blocks)
    {
        for (int token = 0; token < tokens; token++, sums += Rows, blocks += Rows)
        {
            for (int row = 0; row < Rows; row += 4)
            {
                Vector128<float> sum = AdvSimd.FusedMultiplyAdd(Vector128.Load(blocks + row), Vector128.ConvertToSingle(Vector128.Load(sums + row)), Vector128.Load(scales + row));
                if (offsets is not null) sum = AdvSimd.FusedMultiplySubtract(sum, Vector128.Create((float)negatedSums[token]), Vector128.Load(offsets + row));
                sum.Store(blocks + row);
            }
        }
    }

    /// <summary>Adds the sums of a block, scaled, to those of the row, and makes them zero for the next block.</summary>
    /// <param name="blocks"><c>[tokens, 16]</c></param>
    /// <param name="tokens">Tokens.</param>
    /// <param name="tokenScales"><c>[tokens]</c></param>
    /// <param name="rows"><c>[tokens, 16]</c></param>
    public static void EndBlock(float* blocks, int tokens, float* tokenScales, float* rows)
    {
        for (int token = 0; token < tokens; token++)
        {
            for (int row = token * Rows; row < (token + 1) * Rows; row += 4)
            {
                AdvSimd.FusedMultiplyAdd(Vector128.Load(rows + row), Vector128.Load(blocks + row), Vector128.Create(tokenScales[token])).Store(rows + row);
                Vector128<float>.Zero.Store(blocks + row);
            }
        }
    }
}
