using System.Runtime.InteropServices;

namespace Nibble.Formats;

/// <summary>
/// 256 weights in sixteen groups of 16. Every eight are a point of the codebook of <see cref="IQ1_S"/> with a shift of their own:
/// w = Scale * (2 * scale[group] + 1) * (coordinate ± 1/8).
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public partial struct IQ1_M : IWeightBlock<IQ1_M, Q8_K>
{
    public Byte32 Points;           // qs: bits 7-0 of the points of eight weights each
    public Byte16 HighBits;         // qh: point j in the low nibble of byte j / 2 where j is even, else in the high one: bit 3 whether the shift is down, 2-0 bits 10-8 of the point
    public TernaryScales Groups;    // scales

    public static string Name => "IQ1_M";
    public static int GgufType => 29;
    public static int BlockSize => 256;

    /// <summary>Eight times the shifted coordinate of weight <paramref name="i"/>.</summary>
    private readonly int InEighths(int i)
    {
        int high = HighBits[i / 16] >> i % 16 / 8 * 4, point = Points[i / 8] | (high & 7) << 8;
        return (sbyte)(IQ1_S.Eighths[point] >> i % 8 * 8) + EvenSigns.At(high, 3);
    }

    public static void Dequantize(ReadOnlySpan<IQ1_M> blocks, Span<float> destination)
    {
        if (InstructionSets.HasVectors) LevelValues.Dequantize(blocks, destination);
        else DequantizeScalar(blocks, destination);
    }

    internal static void DequantizeScalar(ReadOnlySpan<IQ1_M> blocks, Span<float> destination)
    {
        for (int b = 0; b < blocks.Length; b++)
        {
            ref readonly IQ1_M block = ref blocks[b];
            for (int g = 0; g < 16; g++)
            {
                float scale = (float)block.Groups.Scale * (2 * block.Groups.Quant(g) + 1);
                for (int i = 0; i < 16; i++) destination[b * 256 + g * 16 + i] = scale * (block.InEighths(g * 16 + i) * 0.125f);
            }
        }
    }

    public static void Quantize(ReadOnlySpan<float> source, Span<IQ1_M> blocks) => Quantize(source, [], blocks);

    public static void Quantize(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<IQ1_M> blocks)
    {
        TernaryFit fit = new(size: 16);
        for (int b = 0; b < blocks.Length; b++)
            blocks[b].Quantize(source.Slice(b * 256, 256), importance.IsEmpty ? [] : importance.Slice(b * 256, 256), fit);
    }

    private void Quantize(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, TernaryFit fit)
    {
        this = default;
        Span<float> scales = stackalloc float[16], weights = stackalloc float[256];
        float meanSquare = 2 * ErrorWeights.SumOfSquares(values) / 256, largestScale = 0;
        uint shiftedDown = 0;
        if (importance.IsEmpty) ErrorWeights.BySquare(values, weights);
        else ErrorWeights.ByImportance(values, importance, meanSquare, weights);
        for (int g = 0; g < 16; g++)
        {
            ReadOnlySpan<float> group = values.Slice(g * 16, 16);
            weights.Slice(g * 16, 16).CopyTo(fit.Weights);
            scales[g] = 0;
            if (TernaryFit.Largest(group) < 1e-7f) continue;
            float found = fit.SearchTwoShifts(group, out int isDown);
            if (found < 0) continue;
            scales[g] = found;
            int first = fit.Index(0), second = fit.Index(1);
            Points[2 * g] = (byte)first;
            Points[2 * g + 1] = (byte)second;
            HighBits[g] = (byte)(first >> 8 | second >> 8 << 4);
            shiftedDown |= (uint)isDown << 2 * g;
            largestScale = largestScale > found ? largestScale : found;
        }
        if (largestScale == 0) return;
        float scale = largestScale / 15, valueLevel = 0, levelLevel = 0, inverse = 1 / scale;
        for (int g = 0; g < 16; g++)
        {
            int quant = ScaleSearch.RoundOdd(scales[g], inverse, 7);
            Groups.Add(g, quant);
            for (int k = 0; k < 2; k++)
            {
                int start = g * 16 + k * 8, point = Points[2 * g + k] | (HighBits[g] >> 4 * k & 7) << 8;
                bool isDown = (shiftedDown >> 2 * g + k & 1) != 0;
                if (isDown) HighBits[g] |= (byte)(8 << 4 * k);
                TernaryFit.AddUp(values.Slice(start, 8), weights.Slice(start, 8), Codebooks.IQ1.CodeOf(point), isDown, 2 * quant + 1, ref valueLevel, ref levelLevel);
            }
        }
        if (levelLevel > 0) scale = valueLevel / levelLevel;
        Groups.Scale = (Half)(scale * 1.1125f);
    }

    public static float Dot(ReadOnlySpan<IQ1_M> weights, ReadOnlySpan<Q8_K> activations) =>
        InstructionSets.HasAvx2 ? DotAvx2(weights, activations) : InstructionSets.HasNeon ? NeonLevels.Dot(weights, activations) : DotScalar(weights, activations);

    internal static float DotScalar(ReadOnlySpan<IQ1_M> weights, ReadOnlySpan<Q8_K> activations)
    {
        float total = 0;
        for (int b = 0; b < weights.Length; b++)
        {
            ref readonly IQ1_M w = ref weights[b];
            ref readonly Q8_K x = ref activations[b];
            int products = 0;
            for (int g = 0; g < 16; g++)
            {
                int sum = 0;
                for (int i = g * 16; i < g * 16 + 16; i++) sum += w.InEighths(i) * x.Quants[i];
                products += (2 * w.Groups.Quant(g) + 1) * sum;
            }
            total += 0.125f * (float)w.Groups.Scale * x.Scale * products;
        }
        return total;
    }
}
