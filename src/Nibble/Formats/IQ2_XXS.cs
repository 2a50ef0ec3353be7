using System.Runtime.InteropServices;

namespace Nibble.Formats;

/// <summary>
/// 256 weights in eight groups of 32. Every eight are a point of a codebook of 256, with an even number of negative signs:
/// w = Scale / 8 * (2 * scale[group] + 1) * ±magnitude.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public partial struct IQ2_XXS : IWeightBlock<IQ2_XXS, Q8_K>
{
    public Half Scale;          // d
    public UInt32x16 Groups;    // qs: 2g: four points, the first lowest; 2g + 1: bits 31-28 the scale of the group, below them four times seven signs

    public static string Name => "IQ2_XXS";
    public static int GgufType => 16;
    public static int BlockSize => 256;
    public static bool NeedsImportance => true;

    /// <summary>Eight magnitudes in a byte each; the last is 43, not 42.</summary>
    private static readonly ulong[] s_points = Codebooks.IQ2_XXS.InBytes(8, 25, 43);

    private readonly int Magnitude(int i) => (int)(s_points[Groups[i / 32 * 2] >> i % 32 / 8 * 8 & 255] >> i % 8 * 8 & 255);

    private readonly int Sign(int i) => EvenSigns.At(EvenSigns.Complete(Groups[i / 32 * 2 + 1] >> i % 32 / 8 * 7), i % 8);

    public static void Dequantize(ReadOnlySpan<IQ2_XXS> blocks, Span<float> destination)
    {
        if (InstructionSets.HasVectors) LevelValues.Dequantize(blocks, destination);
        else DequantizeScalar(blocks, destination);
    }

    internal static void DequantizeScalar(ReadOnlySpan<IQ2_XXS> blocks, Span<float> destination)
    {
        for (int b = 0; b < blocks.Length; b++)
        {
            ref readonly IQ2_XXS block = ref blocks[b];
            for (int g = 0; g < 8; g++)
            {
                float scale = (float)block.Scale * (0.5f + (block.Groups[g * 2 + 1] >> 28)) * 0.25f;
                for (int i = 0; i < 32; i++) destination[b * 256 + g * 32 + i] = scale * block.Magnitude(g * 32 + i) * block.Sign(g * 32 + i);
            }
        }
    }

    public static void Quantize(ReadOnlySpan<float> source, Span<IQ2_XXS> blocks) => ErrorWeights.ThrowMissing(Name);

    public static void Quantize(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<IQ2_XXS> blocks)
    {
        CodebookFit fit = new(Codebooks.IQ2_XXS, size: 32, steps: 6, step: 0.1f, Refit.All);
        for (int b = 0; b < blocks.Length; b++) blocks[b].Quantize(source.Slice(b * 256, 256), importance.Slice(b * 256, 256), fit);
    }

    private void Quantize(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, CodebookFit fit)
    {
        this = default;
        Span<float> scales = stackalloc float[8];
        Span<byte> quants = stackalloc byte[32];
        float meanSquare = ErrorWeights.SumOfSquares(values) / 256, largestScale = 0;
        for (int g = 0; g < 8; g++)
        {
            ReadOnlySpan<float> group = values.Slice(g * 32, 32);
            ErrorWeights.ByImportance(group, importance.Slice(g * 32, 32), meanSquare, fit.Weights);
            scales[g] = 0;
            if (fit.Start(group, evenSigns: true) < ScaleSearch.Negligible) continue;
            // Values that count little are better cut off than waited for: the middle candidate is the best fit to free quants.
            float free = ScaleSearch.Positive(fit.Magnitudes, fit.Weights, limit: 4, quants);
            if (free * 3 <= 0) continue;
            scales[g] = fit.Search(free * 3, free);
            for (int k = 0; k < 4; k++)
            {
                Groups[2 * g] |= (uint)fit.Index(k) << 8 * k;
                Groups[2 * g + 1] |= (fit.Signs >> 8 * k & 127) << 7 * k;
            }
            largestScale = largestScale > scales[g] ? largestScale : scales[g];
        }
        if (largestScale == 0)
        {
            this = default;
            return;
        }
        float scale = largestScale / 31;
        Scale = (Half)scale;
        for (int g = 0; g < 8; g++) Groups[2 * g + 1] |= (uint)ScaleSearch.RoundOdd(scales[g], 1 / scale, 15) << 28;
    }

    public static float Dot(ReadOnlySpan<IQ2_XXS> weights, ReadOnlySpan<Q8_K> activations) =>
        InstructionSets.HasAvx2 ? DotAvx2(weights, activations) : InstructionSets.HasNeon ? NeonLevels.Dot(weights, activations) : DotScalar(weights, activations);

    internal static float DotScalar(ReadOnlySpan<IQ2_XXS> weights, ReadOnlySpan<Q8_K> activations)
    {
        float total = 0;
        for (int b = 0; b < weights.Length; b++)
        {
            ref readonly IQ2_XXS w = ref weights[b];
            ref readonly Q8_K x = ref activations[b];
            int products = 0;
            for (int g = 0; g < 8; g++)
            {
                int sum = 0;
                for (int i = g * 32; i < g * 32 + 32; i++) sum += w.Magnitude(i) * w.Sign(i) * x.Quants[i];
                products += (2 * (int)(w.Groups[2 * g + 1] >> 28) + 1) * sum;
            }
            total += 0.125f * (float)w.Scale * x.Scale * products;
        }
        return total;
    }
}
