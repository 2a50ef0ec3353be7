using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Nibble.Formats;

namespace Nibble.Kernels.Panels;

/// <summary>
/// The kernel for AVX-512 without VNNI: 16 rows are one vector, and the integer sums of a group of eight tokens are in registers; sums in
/// single precision stay in the first-level cache.
/// </summary>
internal readonly unsafe struct Avx512Kernel : IPanelKernel
{
    private const int Rows = RowPanel.Rows, Slots = TokenTiles.Tokens;

    private readonly ByteProducts _products;
    private readonly int _groups, _steps;
    private readonly bool _hasOffsets;

    /// <param name="shape">How finely weights and tokens are scaled.</param>
    /// <param name="coding">Which numbers the weights have.</param>
    public Avx512Kernel(PanelShape shape, LevelCoding coding)
    {
        (_groups, _steps, _hasOffsets) = (shape.Block / shape.Group, shape.Group / 4, shape.HasOffsets);
        _products = new(shape, coding);
    }

    public byte Bias => (byte)_products.Bias;

    public void Run(PanelArguments* arguments, int tokens)
    {
        if (_products.Sums == ProductSums.OfGroup) Run<Pairs>(arguments, tokens);
        else if (_products.Sums == ProductSums.OfMagnitudes) Run<Magnitudes>(arguments, tokens);
        else Run<TwoPairs>(arguments, tokens);
    }

    [SkipLocalsInit]
    private void Run<TSums>(PanelArguments* a, int tokens) where TSums : ISums
    {
        float* rows = stackalloc float[2 * Slots * Rows], blocks = rows + Slots * Rows;
        new Span<float>(rows, Slots * Rows).Clear();
        byte* weights = a->Weights;
        int* values = (int*)a->Tokens, negatedSums = a->NegatedSums;
        float* scales = a->Scales, offsets = a->Offsets, tokenScales = a->TokenScales;
        for (long block = 0; block < a->Blocks; block++)
        {
            for (int group = 0; group < _groups; group++)
            {
                Vector512<int> sum0 = default, sum1 = default, sum2 = default, sum3 = default, sum4 = default, sum5 = default, sum6 = default, sum7 = default;
                for (byte* end = weights + _steps * 4 * Rows; weights < end; weights += 4 * Rows, values += Slots)
                {
                    Vector512<byte> w = Vector512.Load(weights);
                    sum0 = TSums.Add(sum0, w, Vector512.Create(values[0]).AsSByte());
                    sum1 = TSums.Add(sum1, w, Vector512.Create(values[1]).AsSByte());
                    sum2 = TSums.Add(sum2, w, Vector512.Create(values[2]).AsSByte());
                    sum3 = TSums.Add(sum3, w, Vector512.Create(values[3]).AsSByte());
                    sum4 = TSums.Add(sum4, w, Vector512.Create(values[4]).AsSByte());
                    sum5 = TSums.Add(sum5, w, Vector512.Create(values[5]).AsSByte());
                    sum6 = TSums.Add(sum6, w, Vector512.Create(values[6]).AsSByte());
                    sum7 = TSums.Add(sum7, w, Vector512.Create(values[7]).AsSByte());
                }
                Vector512<float> scale = Vector512.Load(scales), offset = _hasOffsets ? Vector512.Load(offsets) : default;
                Scale<TSums>(group, sum0, negatedSums[0], scale, offset, blocks);
                Scale<TSums>(group, sum1, negatedSums[1], scale, offset, blocks + Rows);
                Scale<TSums>(group, sum2, negatedSums[2], scale, offset, blocks + 2 * Rows);
                Scale<TSums>(group, sum3, negatedSums[3], scale, offset, blocks + 3 * Rows);
                Scale<TSums>(group, sum4, negatedSums[4], scale, offset, blocks + 4 * Rows);
                Scale<TSums>(group, sum5, negatedSums[5], scale, offset, blocks + 5 * Rows);
                Scale<TSums>(group, sum6, negatedSums[6], scale, offset, blocks + 6 * Rows);
                Scale<TSums>(group, sum7, negatedSums[7], scale, offset, blocks + 7 * Rows);
                negatedSums += Slots;
                scales += Rows;
                offsets += _hasOffsets ? Rows : 0;
            }
            for (int token = 0; token < tokens; token++)
            {
                float* row = rows + token * Rows;
                Avx512F.FusedMultiplyAdd(Vector512.Load(blocks + token * Rows), Vector512.Create(tokenScales[token]), Vector512.Load(row)).Store(row);
            }
            tokenScales += Slots;
        }
        for (int token = 0; token < tokens; token++) Vector512.Load(rows + token * Rows).Store((float*)((byte*)a->Result + token * a->ResultStride));
    }

    /// <summary>Adds the sums of a group of one token to those of the block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Scale<TSums>(int group, Vector512<int> sums, int negatedSum, Vector512<float> scale, Vector512<float> offset, float* target) where TSums : ISums
    {
        Vector512<float> products = Vector512.ConvertToSingle(TSums.Widen(sums) + Vector512.Create(negatedSum * _products.Bias));
        Vector512<float> sum = group == 0 ? products * scale : Avx512F.FusedMultiplyAdd(products, scale, Vector512.Load(target));
        if (_hasOffsets) sum = Avx512F.FusedMultiplyAddNegated(Vector512.Create((float)negatedSum), offset, sum);
        sum.Store(target);
    }

    /// <summary>Sums of products of bytes, of 16 rows.</summary>
    private interface ISums
    {
        static abstract Vector512<int> Add(Vector512<int> sum, Vector512<byte> weights, Vector512<sbyte> four);

        /// <summary>One sum of 32 bits for each row.</summary>
        static virtual Vector512<int> Widen(Vector512<int> sum) => sum;
    }

    /// <summary>Two sums of 16 bits for each row.</summary>
    private readonly struct Pairs : ISums
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<int> Add(Vector512<int> sum, Vector512<byte> weights, Vector512<sbyte> four) =>
            (sum.AsInt16() + Avx512BW.MultiplyAddAdjacent(weights, four)).AsInt32();

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<int> Widen(Vector512<int> sum) => Avx512BW.MultiplyAddAdjacent(sum.AsInt16(), Vector512<short>.One);
    }

    private readonly struct TwoPairs : ISums
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<int> Add(Vector512<int> sum, Vector512<byte> weights, Vector512<sbyte> four) =>
            sum + Avx512BW.MultiplyAddAdjacent(Avx512BW.MultiplyAddAdjacent(weights, four), Vector512<short>.One);
    }

    /// <summary>There is no VPSIGNB on 512 bits: flipping all bits and adding one changes the sign.</summary>
    private readonly struct Magnitudes : ISums
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<int> Add(Vector512<int> sum, Vector512<byte> weights, Vector512<sbyte> four)
        {
            Vector512<sbyte> number = weights.AsSByte();
            Vector512<sbyte> flip = Avx512BW.CompareLessThan(number, Vector512<sbyte>.Zero);
            return sum + Avx512BW.MultiplyAddAdjacent(Avx512BW.MultiplyAddAdjacent(Avx512BW.Abs(number), (four ^ flip) - flip), Vector512<short>.One);
        }
    }
}
