using System.Runtime.InteropServices;

namespace Nibble.Formats;

/// <summary>
/// 256 weights in sixteen groups of 16. Every eight are a point of a codebook of 512, with an even number of negative signs:
/// w = Scale / 8 * (2 * scale[group] + 1) * ±magnitude.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public partial struct IQ2_XS : IWeightBlock<IQ2_XS, Q8_K>
{
    public Half Scale;          // d
    public UInt16x32 Points;    // qs: of weights 8 * j … 8 * j + 7: bits 15-9 the signs, bits 8-0 the point
    public OddScales Groups;    // scales

    public static string Name => "IQ2_XS";
    public static int GgufType => 17;
    public static int BlockSize => 256;
    public static bool NeedsImportance => true;

    /// <summary>Eight magnitudes in a byte each; the last is 43, not 42.</summary>
    private static readonly ulong[] s_points = Codebooks.IQ2_XS.InBytes(8, 25, 43);

    private readonly int Magnitude(int i) => (int)(s_points[Points[i / 8] & 511] >> i % 8 * 8 & 255);

    private readonly int Sign(int i) => EvenSigns.At(EvenSigns.Complete((uint)Points[i / 8] >> 9), i % 8);

    public static void Dequantize(ReadOnlySpan<IQ2_XS> blocks, Span<float> destination)
    {
        if (InstructionSets.HasVectors) LevelValues.Dequantize(blocks, destination);
        else DequantizeScalar(blocks, destination);
    }

    internal static void DequantizeScalar(ReadOnlySpan<IQ2_XS> blocks, Span<float> destination)
    {
        for (int b = 0; b < blocks.Length; b++)
        {
            ref readonly IQ2_XS block = ref blocks[b];
            for (int g = 0; g < 16; g++)
            {
                float scale = (float)block.Scale * (0.5f + block.Groups.Quant(g)) * 0.25f;
                for (int i = 0; i < 16; i++) destination[b * 256 + g * 16 + i] = scale * block.Magnitude(g * 16 + i) * block.Sign(g * 16 + i);
            }
        }
    }

    public static void Quantize(ReadOnlySpan<float> source, Span<IQ2_XS> blocks) => ErrorWeights.ThrowMissing(Name);

    public static void Quantize(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<IQ2_XS> blocks)
    {
        CodebookFit fit = new(Codebooks.IQ2_XS, size: 16, steps: 9, step: 0.1f, Refit.OffBook);
        for (int b = 0; b < blocks.Length; b++) blocks[b].Quantize(source.Slice(b * 256, 256), importance.Slice(b * 256, 256), fit);
    }

    private void Quantize(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, CodebookFit fit)
    {
        this = default;
        Span<float> scales = stackalloc float[16];
        float meanSquare = ErrorWeights.SumOfSquares(values) / 256, largestScale = 0;
        for (int g = 0; g < 16; g++)
        {
            ReadOnlySpan<float> group = values.Slice(g * 16, 16);
            ErrorWeights.ByImportance(group, importance.Slice(g * 16, 16), meanSquare, fit.Weights);
            float largest = fit.Start(group, evenSigns: true);
            scales[g] = 0;
            if (largest < ScaleSearch.Negligible) continue;
            scales[g] = fit.Search(largest, largest / 5);
            for (int k = 0; k < 2; k++) Points[2 * g + k] = (ushort)((uint)fit.Index(k) | (fit.Signs >> 8 * k & 127) << 9);
            largestScale = largestScale > scales[g] ? largestScale : scales[g];
        }
        if (largestScale == 0)
        {
            this = default;
            return;
        }
        float scale = largestScale / 31;
        Scale = (Half)scale;
        Groups.Store(scales, scale);
    }

    public static float Dot(ReadOnlySpan<IQ2_XS> weights, ReadOnlySpan<Q8_K> activations) =>
        InstructionSets.HasAvx2 ? DotAvx2(weights, activations) : InstructionSets.HasNeon ? NeonLevels.Dot(weights, activations) : DotScalar(weights, activations);

    internal static float DotScalar(ReadOnlySpan<IQ2_XS> weights, ReadOnlySpan<Q8_K> activations)
    {
        float total = 0;
        for (int b = 0; b < weights.Length; b++)
        {
            ref readonly IQ2_XS w = ref weights[b];
            ref readonly Q8_K x = ref activations[b];
            int products = 0;
            for (int g = 0; g < 16; g++)
            {
                int sum = 0;
                for (int i = g * 16; i < g * 16 + 16; i++) sum += w.Magnitude(i) * w.Sign(i) * x.Quants[i];
                products += (2 * w.Groups.Quant(g) + 1) * sum;
            }
            total += 0.125f * (float)w.Scale * x.Scale * products;
        }
        return total;
    }
}
