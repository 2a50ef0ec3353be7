using System.Runtime.InteropServices;

namespace Nibble.Formats;

/// <summary>
/// 256 weights in sixteen groups of 16. Every eight are a point of a codebook of 1,024, with signs:
/// w = Scale / 8 * (2 * scale[group] + 1) * ±magnitude.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public partial struct IQ2_S : IWeightBlock<IQ2_S, Q8_K>
{
    public Half Scale;          // d
    public Byte32 Points;       // qs: bits 7-0 of the points of eight weights each
    public Byte32 Signs;        // qs + 32: bit i of byte j is set where weight 8 * j + i is negative
    public Byte8 HighBits;      // qh: bits 2k + 1 and 2k of byte j are bits 9-8 of point 4 * j + k
    public OddScales Groups;    // scales

    public static string Name => "IQ2_S";
    public static int GgufType => 22;
    public static int BlockSize => 256;

    /// <summary>Eight magnitudes in a byte each; the last is 43, not 42.</summary>
    private static readonly ulong[] s_points = Codebooks.IQ2_S.InBytes(8, 25, 43);

    private readonly int Magnitude(int i) => (int)(s_points[Points[i / 8] | (HighBits[i / 32] >> i % 32 / 8 * 2 & 3) << 8] >> i % 8 * 8 & 255);

    private readonly int Sign(int i) => EvenSigns.At(Signs[i / 8], i % 8);

    public static void Dequantize(ReadOnlySpan<IQ2_S> blocks, Span<float> destination)
    {
        if (InstructionSets.HasVectors) LevelValues.Dequantize(blocks, destination);
        else DequantizeScalar(blocks, destination);
    }

    internal static void DequantizeScalar(ReadOnlySpan<IQ2_S> blocks, Span<float> destination)
    {
        for (int b = 0; b < blocks.Length; b++)
        {
            ref readonly IQ2_S block = ref blocks[b];
            for (int g = 0; g < 16; g++)
            {
                float scale = (float)block.Scale * (0.5f + block.Groups.Quant(g)) * 0.25f;
                for (int i = 0; i < 16; i++) destination[b * 256 + g * 16 + i] = scale * block.Magnitude(g * 16 + i) * block.Sign(g * 16 + i);
            }
        }
    }

    public static void Quantize(ReadOnlySpan<float> source, Span<IQ2_S> blocks) => Quantize(source, [], blocks);

    public static void Quantize(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<IQ2_S> blocks)
    {
        CodebookFit fit = new(Codebooks.IQ2_S, size: 16, steps: 9, step: 0.1f, Refit.OffBook);
        for (int b = 0; b < blocks.Length; b++)
            blocks[b].Quantize(source.Slice(b * 256, 256), importance.IsEmpty ? [] : importance.Slice(b * 256, 256), fit);
    }

    private void Quantize(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, CodebookFit fit)
    {
        this = default;
        Span<float> scales = stackalloc float[16];
        float meanSquare = 2 * ErrorWeights.SumOfSquares(values) / 256, largestScale = 0;
        for (int g = 0; g < 16; g++)
        {
            ReadOnlySpan<float> group = values.Slice(g * 16, 16);
            if (importance.IsEmpty)
                for (int i = 0; i < 16; i++) fit.Weights[i] = 0.25f * meanSquare + group[i] * group[i];
            else
                ErrorWeights.ByImportance(group, importance.Slice(g * 16, 16), meanSquare, fit.Weights);
            float largest = fit.Start(group, evenSigns: false);
            scales[g] = 0;
            if (largest < 1e-8f) continue;
            scales[g] = fit.Search(largest, largest / 5);
            for (int k = 0; k < 2; k++)
            {
                int point = fit.Index(k), j = 2 * g + k;
                Points[j] = (byte)point;
                HighBits[j / 4] |= (byte)(point >> 8 << j % 4 * 2);
                Signs[j] = (byte)(fit.Signs >> 8 * k);
            }
            largestScale = largestScale > scales[g] ? largestScale : scales[g];
        }
        if (largestScale == 0) return;
        float scale = largestScale / 31;
        Scale = (Half)(scale * 0.9875f);
        Groups.Store(scales, scale);
    }

    public static float Dot(ReadOnlySpan<IQ2_S> weights, ReadOnlySpan<Q8_K> activations) =>
        InstructionSets.HasAvx2 ? DotAvx2(weights, activations) : InstructionSets.HasNeon ? NeonLevels.Dot(weights, activations) : DotScalar(weights, activations);

    internal static float DotScalar(ReadOnlySpan<IQ2_S> weights, ReadOnlySpan<Q8_K> activations)
    {
        float total = 0;
        for (int b = 0; b < weights.Length; b++)
        {
            ref readonly IQ2_S w = ref weights[b];
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
