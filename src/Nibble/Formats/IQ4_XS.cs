using System.Runtime.InteropServices;

namespace Nibble.Formats;

/// <summary>
/// 256 weights of 4 bits in eight groups of 32, which choose among the levels of <see cref="IQ4_NL"/>. Each group has a signed
/// 6-bit scale, a multiple of the block's: w = Scale * (scale[group] - 32) * level[q].
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public partial struct IQ4_XS : IWeightBlock<IQ4_XS, Q8_K>
{
    public Half Scale;          // d
    public ushort HighScales;   // scales_h: bits 2g + 1 and 2g are bits 5-4 of the scale of group g
    public Byte4 LowScales;     // scales_l: bits 3-0; group g in the low nibble of byte g / 2 where g is even, else in the high one
    public Byte128 Quants;      // qs: of each group, weight j in the low nibble of byte j, weight j + 16 in the high one

    public static string Name => "IQ4_XS";
    public static int GgufType => 23;
    public static int BlockSize => 256;

    /// <summary>The scale of group 0 … 7, a whole number -32 … 31.</summary>
    private readonly int GroupScale(int group) => (LowScales[group / 2] >> group % 2 * 4 & 15 | (HighScales >> 2 * group & 3) << 4) - 32;

    public static void Dequantize(ReadOnlySpan<IQ4_XS> blocks, Span<float> destination)
    {
        if (InstructionSets.HasVectors) LevelValues.Dequantize(blocks, destination);
        else DequantizeScalar(blocks, destination);
    }

    internal static void DequantizeScalar(ReadOnlySpan<IQ4_XS> blocks, Span<float> destination)
    {
        for (int b = 0; b < blocks.Length; b++)
        {
            ref readonly IQ4_XS block = ref blocks[b];
            for (int g = 0; g < 8; g++)
            {
                float scale = (float)block.Scale * block.GroupScale(g);
                ReadOnlySpan<byte> quants = block.Quants[(g * 16)..(g * 16 + 16)];
                Span<float> values = destination.Slice(b * 256 + g * 32, 32);
                for (int j = 0; j < 16; j++)
                {
                    values[j] = scale * IQ4_NL.Levels[quants[j] & 15];
                    values[j + 16] = scale * IQ4_NL.Levels[quants[j] >> 4];
                }
            }
        }
    }

    public static void Quantize(ReadOnlySpan<float> source, Span<IQ4_XS> blocks) => Quantize(source, [], blocks);

    public static void Quantize(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<IQ4_XS> blocks)
    {
        if (InstructionSets.HasAvx512) QuantizeLanes<Lanes32>(source, importance, blocks);
        else if (InstructionSets.HasVectors) QuantizeLanes<Lanes8>(source, importance, blocks);
        else QuantizeScalar(source, importance, blocks);
    }

    internal static void QuantizeScalar(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<IQ4_XS> blocks)
    {
        Span<byte> quants = stackalloc byte[256];
        Span<float> scales = stackalloc float[8];
        for (int b = 0; b < blocks.Length; b++)
        {
            ref IQ4_XS block = ref blocks[b];
            ReadOnlySpan<float> values = source.Slice(b * 256, 256);
            ChooseScales(values, importance.IsEmpty ? [] : importance.Slice(b * 256, 256), scales);
            block.StoreScales(scales);
            for (int i = 0; i < 256; i++)
            {
                float step = scales[i / 32];
                quants[i] = (byte)IQ4_NL.LevelSearch.Nearest((step != 0 ? 1 / step : 0) * values[i]);
            }
            Nibbles.Pack(quants, half: 16, block.Quants);
        }
    }

    /// <summary>Stores the scales of the groups; <paramref name="scales"/> become what is left of them in 6 bits.</summary>
    private void StoreScales(Span<float> scales)
    {
        float scale = -ScaleSearch.Extreme(scales) / 32;
        float inverse = scale != 0 ? 1 / scale : 0;
        Scale = (Half)scale;
        HighScales = 0;
        LowScales = default;
        for (int g = 0; g < 8; g++)
        {
            int groupScale = Math.Max(-32, Math.Min(31, Rounding.ToEven(inverse * scales[g])));
            scales[g] = scale * groupScale;
            LowScales[g / 2] |= (byte)((groupScale & 15) << g % 2 * 4);
            HighScales |= (ushort)((groupScale + 32) >> 4 << 2 * g);
        }
    }

    private static void ChooseScales(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, Span<float> scales)
    {
        Span<float> weights = stackalloc float[32];
        float meanSquare = ErrorWeights.SumOfSquares(values) * (2f / 256);
        for (int g = 0; g < 8; g++)
        {
            ReadOnlySpan<float> group = values.Slice(g * 32, 32);
            if (importance.IsEmpty) ErrorWeights.BySquare(group, weights);
            else ErrorWeights.ByImportance(group, importance.Slice(g * 32, 32), meanSquare, weights);
            scales[g] = ScaleSearch.ToLevels(group, weights, IQ4_NL.LevelSearch, steps: 7);
        }
    }

    public static float Dot(ReadOnlySpan<IQ4_XS> weights, ReadOnlySpan<Q8_K> activations) =>
        InstructionSets.HasAvx2 ? DotAvx2(weights, activations) : InstructionSets.HasNeon ? NeonLevels.Dot(weights, activations) : DotScalar(weights, activations);

    internal static float DotScalar(ReadOnlySpan<IQ4_XS> weights, ReadOnlySpan<Q8_K> activations)
    {
        float total = 0;
        for (int b = 0; b < weights.Length; b++)
        {
            ref readonly IQ4_XS w = ref weights[b];
            ref readonly Q8_K x = ref activations[b];
            int products = 0;
            for (int g = 0; g < 8; g++)
            {
                ReadOnlySpan<byte> quants = w.Quants[(g * 16)..(g * 16 + 16)];
                ReadOnlySpan<sbyte> values = x.Quants[(g * 32)..(g * 32 + 32)];
                int sum = 0;
                for (int j = 0; j < 16; j++) sum += IQ4_NL.Levels[quants[j] & 15] * values[j] + IQ4_NL.Levels[quants[j] >> 4] * values[j + 16];
                products += w.GroupScale(g) * sum;
            }
            total += (float)w.Scale * x.Scale * products;
        }
        return total;
    }
}
