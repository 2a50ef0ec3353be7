using System.Runtime.InteropServices;

namespace Nibble.Formats;

/// <summary>
/// 256 weights of 6 bits in sixteen groups of 16. Each group has a signed 8-bit scale, a multiple of the block's:
/// w = Scale * scale[group] * (q - 32).
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public partial struct Q6_K : IWeightBlock<Q6_K, Q8_K>
{
    public Byte128 Quants;    // ql: bits 3-0; of each run of 128 weights, weight j in the low nibble of byte j, weight j + 64 in the high one
    public Byte64 HighBits;   // qh: bits 5-4, see TwoBits
    public SByte16 Groups;    // scales
    public Half Scale;        // d

    public static string Name => "Q6_K";
    public static int GgufType => 14;
    public static int BlockSize => 256;

    /// <summary>The quant of weight <paramref name="i"/>, 0 … 63.</summary>
    private static int Quant(ReadOnlySpan<byte> quants, ReadOnlySpan<byte> high, int i) =>
        quants[i / 128 * 64 + i % 64] >> i % 128 / 64 * 4 & 15 | TwoBits.At(high, i) << 4;

    public static void Dequantize(ReadOnlySpan<Q6_K> blocks, Span<float> destination)
    {
        if (InstructionSets.HasVectors) LevelValues.Dequantize(blocks, destination);
        else DequantizeScalar(blocks, destination);
    }

    internal static void DequantizeScalar(ReadOnlySpan<Q6_K> blocks, Span<float> destination)
    {
        for (int b = 0; b < blocks.Length; b++)
        {
            ref readonly Q6_K block = ref blocks[b];
            ReadOnlySpan<byte> quants = block.Quants, high = block.HighBits;
            for (int g = 0; g < 16; g++)
            {
                float scale = (float)block.Scale * block.Groups[g];
                Span<float> values = destination.Slice(b * 256 + g * 16, 16);
                for (int i = 0; i < 16; i++) values[i] = scale * (Quant(quants, high, g * 16 + i) - 32);
            }
        }
    }

    public static void Quantize(ReadOnlySpan<float> source, Span<Q6_K> blocks) => Quantize(source, [], blocks);

    public static void Quantize(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<Q6_K> blocks)
    {
        if (InstructionSets.HasAvx512) QuantizeLanes<Lanes32>(source, importance, blocks);
        else if (InstructionSets.HasVectors) QuantizeLanes<Lanes8>(source, importance, blocks);
        else QuantizeScalar(source, importance, blocks);
    }

    internal static void QuantizeScalar(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<Q6_K> blocks)
    {
        Span<byte> quants = stackalloc byte[256];
        Span<float> scales = stackalloc float[16];
        for (int b = 0; b < blocks.Length; b++)
        {
            ref Q6_K block = ref blocks[b];
            ReadOnlySpan<float> values = source.Slice(b * 256, 256);
            for (int g = 0; g < 16; g++)
            {
                ReadOnlySpan<float> weights = importance.IsEmpty ? [] : importance.Slice(b * 256 + g * 16, 16);
                scales[g] = ScaleSearch.Symmetric(values.Slice(g * 16, 16), weights, limit: 32, quants.Slice(g * 16, 16));
            }
            if (!block.StoreScales(scales)) continue;
            for (int g = 0; g < 16; g++)
                ScaleSearch.RoundSymmetric(values.Slice(g * 16, 16), (float)block.Scale * block.Groups[g], limit: 32, quants.Slice(g * 16, 16));
            block.StoreQuants(quants);
        }
    }

    /// <summary>The scale of largest magnitude becomes -128. Where all are negligible the block is zero and the result false.</summary>
    private bool StoreScales(ReadOnlySpan<float> scales)
    {
        float extreme = ScaleSearch.Extreme(scales);
        if (MathF.Abs(extreme) < ScaleSearch.Negligible)
        {
            this = default;
            return false;
        }
        float inverse = -128 / extreme;
        Scale = (Half)(1 / inverse);
        for (int g = 0; g < 16; g++) Groups[g] = (sbyte)Math.Min(127, Rounding.ToEven(inverse * scales[g]));
        return true;
    }

    private void StoreQuants(ReadOnlySpan<byte> quants)
    {
        Nibbles.Pack(quants, half: 64, Quants);
        TwoBits.Pack(quants, shift: 4, HighBits);
    }

    public static float Dot(ReadOnlySpan<Q6_K> weights, ReadOnlySpan<Q8_K> activations) =>
        InstructionSets.HasAvx2 ? DotAvx2(weights, activations) : InstructionSets.HasNeon ? NeonLevels.Dot(weights, activations) : DotScalar(weights, activations);

    internal static float DotScalar(ReadOnlySpan<Q6_K> weights, ReadOnlySpan<Q8_K> activations)
    {
        float total = 0;
        for (int b = 0; b < weights.Length; b++)
        {
            ref readonly Q6_K w = ref weights[b];
            ref readonly Q8_K x = ref activations[b];
            ReadOnlySpan<byte> quants = w.Quants, high = w.HighBits;
            int products = 0;
            for (int g = 0; g < 16; g++)
            {
                int sum = 0;
                for (int i = g * 16; i < g * 16 + 16; i++) sum += (Quant(quants, high, i) - 32) * x.Quants[i];
                products += w.Groups[g] * sum;
            }
            total += (float)w.Scale * x.Scale * products;
        }
        return total;
    }
}
