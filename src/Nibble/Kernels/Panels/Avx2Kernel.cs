using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Nibble.Formats;

namespace Nibble.Kernels.Panels;

/// <summary>
/// The kernel for AVX2: 16 rows are two vectors, and four tokens at a time have the integer sums of a group in registers; sums in single
/// precision stay in the first-level cache. With AVX-VNNI one instruction does the work of three.
/// </summary>
internal readonly unsafe struct Avx2Kernel : IPanelKernel
{
    private const int TokensAtATime = 4, Rows = RowPanel.Rows, Slots = TokenTiles.Tokens;

    private readonly ByteProducts _products;
    private readonly int _groups, _steps, _bias;
    private readonly bool _hasOffsets, _hasVnni;

    /// <param name="shape">How finely weights and tokens are scaled.</param>
    /// <param name="coding">Which numbers the weights have.</param>
    /// <param name="hasVnni">Whether to use AVX-VNNI.</param>
    public Avx2Kernel(PanelShape shape, LevelCoding coding, bool hasVnni)
    {
        (_groups, _steps, _hasOffsets, _hasVnni) = (shape.Block / shape.Group, shape.Group / 4, shape.HasOffsets, hasVnni);
        _products = new(shape, coding);
        _bias = hasVnni ? 128 : _products.Bias;
    }

    public Avx2Kernel(PanelShape shape, LevelCoding coding) : this(shape, coding, InstructionSets.HasAvxVnni) { }

    public byte Bias => (byte)_bias;

    public void Run(PanelArguments* arguments, int tokens)
    {
        if (_hasVnni) Run<FourBytes>(arguments, tokens);
        else if (_products.Sums == ProductSums.OfGroup) Run<Pairs>(arguments, tokens);
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
                for (int token = 0; token < tokens; token += TokensAtATime)
                {
                    Vector256<int> sum00 = default, sum01 = default, sum10 = default, sum11 = default, sum20 = default, sum21 = default, sum30 = default, sum31 = default;
                    byte* w = weights;
                    for (int* x = values + token, end = x + _steps * Slots; x < end; x += Slots, w += 4 * Rows)
                    {
                        Vector256<byte> low = Vector256.Load(w), high = Vector256.Load(w + 32);
                        Vector256<sbyte> four = Vector256.Create(x[0]).AsSByte();
                        sum00 = TSums.Add(sum00, low, four);
                        sum01 = TSums.Add(sum01, high, four);
                        four = Vector256.Create(x[1]).AsSByte();
                        sum10 = TSums.Add(sum10, low, four);
                        sum11 = TSums.Add(sum11, high, four);
                        four = Vector256.Create(x[2]).AsSByte();
                        sum20 = TSums.Add(sum20, low, four);
                        sum21 = TSums.Add(sum21, high, four);
                        four = Vector256.Create(x[3]).AsSByte();
                        sum30 = TSums.Add(sum30, low, four);
                        sum31 = TSums.Add(sum31, high, four);
                    }
                    float* target = blocks + token * Rows;
                    Scale<TSums>(group, sum00, sum01, negatedSums[token], scales, offsets, target);
                    Scale<TSums>(group, sum10, sum11, negatedSums[token + 1], scales, offsets, target + Rows);
                    Scale<TSums>(group, sum20, sum21, negatedSums[token + 2], scales, offsets, target + 2 * Rows);
                    Scale<TSums>(group, sum30, sum31, negatedSums[token + 3], scales, offsets, target + 3 * Rows);
                }
                weights += _steps * 4 * Rows;
                values += _steps * Slots;
                negatedSums += Slots;
                scales += Rows;
                offsets += _hasOffsets ? Rows : 0;
            }
            for (int token = 0; token < tokens; token++)
            {
                Vector256<float> scale = Vector256.Create(tokenScales[token]);
                float* row = rows + token * Rows, sum = blocks + token * Rows;
                Fma.MultiplyAdd(Vector256.Load(sum), scale, Vector256.Load(row)).Store(row);
                Fma.MultiplyAdd(Vector256.Load(sum + 8), scale, Vector256.Load(row + 8)).Store(row + 8);
            }
            tokenScales += Slots;
        }
        for (int token = 0; token < tokens; token++)
            new Span<float>(rows + token * Rows, Rows).CopyTo(new Span<float>((byte*)a->Result + token * a->ResultStride, Rows));
    }

    /// <summary>Adds the sums of a group of one token to those of the block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Scale<TSums>(int group, Vector256<int> low, Vector256<int> high, int negatedSum, float* scales, float* offsets, float* target) where TSums : ISums
    {
        Vector256<int> bias = Vector256.Create(negatedSum * _bias);
        Vector256<float> first = Vector256.ConvertToSingle(TSums.Widen(low) + bias), second = Vector256.ConvertToSingle(TSums.Widen(high) + bias);
        Vector256<float> sum0 = group == 0 ? first * Vector256.Load(scales) : Fma.MultiplyAdd(first, Vector256.Load(scales), Vector256.Load(target));
        Vector256<float> sum1 = group == 0 ? second * Vector256.Load(scales + 8) : Fma.MultiplyAdd(second, Vector256.Load(scales + 8), Vector256.Load(target + 8));
        if (_hasOffsets)
        {
            Vector256<float> sum = Vector256.Create((float)negatedSum);
            sum0 = Fma.MultiplyAddNegated(sum, Vector256.Load(offsets), sum0);
            sum1 = Fma.MultiplyAddNegated(sum, Vector256.Load(offsets + 8), sum1);
        }
        sum0.Store(target);
        sum1.Store(target + 8);
    }

    /// <summary>Sums of products of bytes, of eight rows.</summary>
    private interface ISums
    {
        static abstract Vector256<int> Add(Vector256<int> sum, Vector256<byte> weights, Vector256<sbyte> four);

        /// <summary>One sum of 32 bits for each row.</summary>
        static virtual Vector256<int> Widen(Vector256<int> sum) => sum;
    }

    /// <summary>Two sums of 16 bits for each row.</summary>
    private readonly struct Pairs : ISums
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<int> Add(Vector256<int> sum, Vector256<byte> weights, Vector256<sbyte> four) =>
            (sum.AsInt16() + Avx2.MultiplyAddAdjacent(weights, four)).AsInt32();

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<int> Widen(Vector256<int> sum) => Avx2.MultiplyAddAdjacent(sum.AsInt16(), Vector256<short>.One);
    }

    private readonly struct TwoPairs : ISums
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<int> Add(Vector256<int> sum, Vector256<byte> weights, Vector256<sbyte> four) => sum + Products.UnsignedSigned(weights, four);
    }

    private readonly struct Magnitudes : ISums
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<int> Add(Vector256<int> sum, Vector256<byte> weights, Vector256<sbyte> four) => sum + Products.SignedSigned(weights.AsSByte(), four);
    }

    private readonly struct FourBytes : ISums
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<int> Add(Vector256<int> sum, Vector256<byte> weights, Vector256<sbyte> four) => AvxVnni.MultiplyWideningAndAdd(sum, weights, four);
    }
}
