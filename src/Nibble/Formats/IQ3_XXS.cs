using System.Runtime.InteropServices;

namespace Nibble.Formats;

/// <summary>
/// 256 weights in eight groups of 32. Every four are a point of a codebook of 256; every eight have an even number of negative
/// signs: w = Scale / 4 * (2 * scale[group] + 1) * ±magnitude.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public partial struct IQ3_XXS : IWeightBlock<IQ3_XXS, Q8_K>
{
    public Half Scale;          // d
    public Byte64 Points;       // qs: byte j is the point of weights 4 * j … 4 * j + 3
    public UInt32x8 Groups;     // bits 31-28 the scale of the group, below them four times seven signs, the first lowest

    public static string Name => "IQ3_XXS";
    public static int GgufType => 18;
    public static int BlockSize => 256;

    /// <summary>Four magnitudes in a byte each; the last is 62, not 60.</summary>
    private static readonly uint[] s_points = Codebooks.IQ3_XXS.InFourBytes(4, 12, 20, 28, 36, 44, 52, 62);

    public static void Dequantize(ReadOnlySpan<IQ3_XXS> blocks, Span<float> destination)
    {
        if (InstructionSets.HasVectors) LevelValues.Dequantize(blocks, destination);
        else DequantizeScalar(blocks, destination);
    }

    internal static void DequantizeScalar(ReadOnlySpan<IQ3_XXS> blocks, Span<float> destination)
    {
        for (int b = 0; b < blocks.Length; b++)
        {
            ref readonly IQ3_XXS block = ref blocks[b];
            for (int g = 0; g < 8; g++)
            {
                float scale = (float)block.Scale * (0.5f + (block.Groups[g] >> 28)) * 0.5f;
                for (int i = 0; i < 32; i++) destination[b * 256 + g * 32 + i] = scale * block.Magnitude(g * 32 + i) * block.Sign(g * 32 + i);
            }
        }
    }

    private readonly int Magnitude(int i) => (int)(s_points[Points[i / 4]] >> i % 4 * 8 & 255);

    private readonly int Sign(int i) => EvenSigns.At(EvenSigns.Complete(Groups[i / 32] >> i % 32 / 8 * 7), i % 8);

    public static void Quantize(ReadOnlySpan<float> source, Span<IQ3_XXS> blocks) => Quantize(source, [], blocks);

    public static void Quantize(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<IQ3_XXS> blocks)
    {
        CodebookFit fit = new(Codebooks.IQ3_XXS, size: 32, steps: 15, step: 0.2f, Refit.OffBook);
        for (int b = 0; b < blocks.Length; b++)
            blocks[b].Quantize(source.Slice(b * 256, 256), importance.IsEmpty ? [] : importance.Slice(b * 256, 256), fit);
    }

    private void Quantize(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, CodebookFit fit)
    {
        this = default;
        Span<float> scales = stackalloc float[8];
        float meanSquare = 2 * ErrorWeights.SumOfSquares(values) / 256, largestScale = 0;
        for (int g = 0; g < 8; g++)
        {
            ReadOnlySpan<float> group = values.Slice(g * 32, 32);
            if (importance.IsEmpty) ErrorWeights.BySquare(group, fit.Weights);
            else ErrorWeights.ByImportance(group, importance.Slice(g * 32, 32), meanSquare, fit.Weights);
            float largest = fit.Start(group, evenSigns: true);
            scales[g] = 0;
            if (largest < 1e-8f) continue;
            scales[g] = fit.Search(largest, largest / 15);
            for (int k = 0; k < 8; k++) Points[g * 8 + k] = (byte)fit.Index(k);
            for (int k = 0; k < 4; k++) Groups[g] |= (fit.Signs >> 8 * k & 127) << 7 * k;
            largestScale = largestScale > scales[g] ? largestScale : scales[g];
        }
        if (largestScale == 0)
        {
            this = default;
            return;
        }
        float scale = largestScale / 31;
        Scale = (Half)(scale * 1.0125f);
        for (int g = 0; g < 8; g++) Groups[g] |= (uint)ScaleSearch.RoundOdd(scales[g], 1 / scale, 15) << 28;
    }

    public static float Dot(ReadOnlySpan<IQ3_XXS> weights, ReadOnlySpan<Q8_K> activations) =>
        InstructionSets.HasAvx2 ? DotAvx2(weights, activations) : InstructionSets.HasNeon ? NeonLevels.Dot(weights, activations) : DotScalar(weights, activations);

    internal static float DotScalar(ReadOnlySpan<IQ3_XXS> weights, ReadOnlySpan<Q8_K> activations)
    {
        float total = 0;
        for (int b = 0; b < weights.Length; b++)
        {
            ref readonly IQ3_XXS w = ref weights[b];
            ref readonly Q8_K x = ref activations[b];
            int products = 0;
            for (int g = 0; g < 8; g++)
            {
                int sum = 0;
                for (int i = g * 32; i < g * 32 + 32; i++) sum += w.Magnitude(i) * w.Sign(i) * x.Quants[i];
                products += (2 * (int)(w.Groups[g] >> 28) + 1) * sum;
            }
            total += 0.25f * (float)w.Scale * x.Scale * products;
        }
        return total;
    }
}
