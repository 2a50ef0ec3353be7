using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Nibble.Formats;

namespace Nibble.Kernels.Panels;

/// <summary>The kernel for AVX2: 16 rows are two vectors, and two tokens at a time keep the sums in registers.</summary>
internal readonly unsafe struct Avx2Kernel(PanelShape shape) : IPanelKernel
{
    private const int TokensAtATime = 2;

    private readonly int _steps = shape.Group / 4, _groups = shape.Block / shape.Group;
    private readonly bool _hasOffsets = shape.HasOffsets;

    /// <summary>VPMADDUBSW would saturate with biased numbers, so they keep their sign, which moves to the tokens' numbers.</summary>
    public static byte Bias => 0;

    public void Run(PanelArguments* arguments, int tokens)
    {
        for (int token = 0; token < tokens; token += TokensAtATime) Pair(arguments, token);
    }

    private void Pair(PanelArguments* a, int token)
    {
        sbyte* weights = (sbyte*)a->Weights;
        float* scales = a->Scales, offsets = a->Offsets, tokenScales = a->TokenScales + token;
        int* values = (int*)a->Tokens + token, sums = a->NegatedSums + token;
        Vector256<float> row00 = default, row01 = default, row10 = default, row11 = default;
        for (long block = 0; block < a->Blocks; block++)
        {
            Vector256<float> block00 = default, block01 = default, block10 = default, block11 = default;
            for (int group = 0; group < _groups; group++)
            {
                Vector256<int> group00 = default, group01 = default, group10 = default, group11 = default;
                for (int step = 0; step < _steps; step++)
                {
                    Vector256<sbyte> low = Vector256.Load(weights), high = Vector256.Load(weights + 32);
                    Vector256<byte> lowSize = Avx2.Abs(low), highSize = Avx2.Abs(high);
                    Vector256<sbyte> first = Vector256.Create(values[0]).AsSByte(), second = Vector256.Create(values[1]).AsSByte();
                    group00 += Products.UnsignedSigned(lowSize, Avx2.Sign(first, low));
                    group01 += Products.UnsignedSigned(highSize, Avx2.Sign(first, high));
                    group10 += Products.UnsignedSigned(lowSize, Avx2.Sign(second, low));
                    group11 += Products.UnsignedSigned(highSize, Avx2.Sign(second, high));
                    weights += RowPanel.Rows * 4;
                    values += TokenTiles.Tokens;
                }
                Vector256<float> scale0 = Vector256.Load(scales), scale1 = Vector256.Load(scales + 8);
                block00 = Fma.MultiplyAdd(Vector256.ConvertToSingle(group00), scale0, block00);
                block01 = Fma.MultiplyAdd(Vector256.ConvertToSingle(group01), scale1, block01);
                block10 = Fma.MultiplyAdd(Vector256.ConvertToSingle(group10), scale0, block10);
                block11 = Fma.MultiplyAdd(Vector256.ConvertToSingle(group11), scale1, block11);
                if (_hasOffsets)
                {
                    Vector256<float> offset0 = Vector256.Load(offsets), offset1 = Vector256.Load(offsets + 8);
                    Vector256<float> first = Vector256.Create((float)-sums[0]), second = Vector256.Create((float)-sums[1]);
                    block00 = Fma.MultiplyAdd(first, offset0, block00);
                    block01 = Fma.MultiplyAdd(first, offset1, block01);
                    block10 = Fma.MultiplyAdd(second, offset0, block10);
                    block11 = Fma.MultiplyAdd(second, offset1, block11);
                    offsets += RowPanel.Rows;
                }
                scales += RowPanel.Rows;
                sums += TokenTiles.Tokens;
            }
            Vector256<float> firstScale = Vector256.Create(tokenScales[0]), secondScale = Vector256.Create(tokenScales[1]);
            row00 = Fma.MultiplyAdd(block00, firstScale, row00);
            row01 = Fma.MultiplyAdd(block01, firstScale, row01);
            row10 = Fma.MultiplyAdd(block10, secondScale, row10);
            row11 = Fma.MultiplyAdd(block11, secondScale, row11);
            tokenScales += TokenTiles.Tokens;
        }
        Put(a, token, row00, row01);
        Put(a, token + 1, row10, row11);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(PanelArguments* a, int token, Vector256<float> low, Vector256<float> high)
    {
        float* result = (float*)((byte*)a->Result + token * a->ResultStride);
        low.Store(result);
        high.Store(result + 8);
    }
}
