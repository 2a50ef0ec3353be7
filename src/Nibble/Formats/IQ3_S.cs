using System.Runtime.InteropServices;

namespace Nibble.Formats;

/// <summary>
/// 256 weights in eight groups of 32. Every four are a point of a codebook of 512, with signs:
/// w = Scale * (2 * scale[group] + 1) * ±magnitude.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public partial struct IQ3_S : IWeightBlock<IQ3_S, Q8_K>
{
    public Half Scale;          // d
    public Byte64 Points;       // qs: byte j is bits 7-0 of the point of weights 4 * j … 4 * j + 3
    public Byte8 HighBits;      // qh: bit k of byte g is bit 8 of point 8 * g + k
    public Byte32 Signs;        // signs: bit i of byte j is set where weight 8 * j + i is negative
    public Byte4 Groups;        // scales: group g in the low nibble of byte g / 2 where g is even, else in the high one

    public static string Name => "IQ3_S";
    public static int GgufType => 21;
    public static int BlockSize => 256;

    /// <summary>Four magnitudes in a byte each.</summary>
    private static readonly uint[] s_points = Codebooks.IQ3_S.InFourBytes(1, 3, 5, 7, 9, 11, 13, 15);

    /// <summary>An odd number 1 … 31.</summary>
    private readonly int GroupScale(int group) => 2 * (Groups[group / 2] >> group % 2 * 4 & 15) + 1;

    private readonly int Magnitude(int i) => (int)(s_points[Points[i / 4] | (HighBits[i / 32] >> i % 32 / 4 & 1) << 8] >> i % 4 * 8 & 255);

    private readonly int Sign(int i) => EvenSigns.At(Signs[i / 8], i % 8);

    public static void Dequantize(ReadOnlySpan<IQ3_S> blocks, Span<float> destination)
    {
        if (InstructionSets.HasVectors) LevelValues.Dequantize(blocks, destination);
        else DequantizeScalar(blocks, destination);
    }

    internal static void DequantizeScalar(ReadOnlySpan<IQ3_S> blocks, Span<float> destination)
    {
        for (int b = 0; b < blocks.Length; b++)
        {
            ref readonly IQ3_S block = ref blocks[b];
            for (int g = 0; g < 8; g++)
            {
                float scale = (float)block.Scale * block.GroupScale(g);
                for (int i = 0; i < 32; i++) destination[b * 256 + g * 32 + i] = scale * block.Magnitude(g * 32 + i) * block.Sign(g * 32 + i);
            }
        }
    }

    public static void Quantize(ReadOnlySpan<float> source, Span<IQ3_S> blocks) => Quantize(source, [], blocks);

    public static void Quantize(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<IQ3_S> blocks)
    {
        CodebookFit fit = new(Codebooks.IQ3_S, size: 32, steps: 9, step: 0.2f, Refit.AllIfAnyOffBook);
        for (int b = 0; b < blocks.Length; b++)
            blocks[b].Quantize(source.Slice(b * 256, 256), importance.IsEmpty ? [] : importance.Slice(b * 256, 256), fit);
    }

    private void Quantize(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, CodebookFit fit)
    {
        this = default;
        Span<float> scales = stackalloc float[8];
        float meanSquare = 2 * ErrorWeights.SumOfSquares(values) / 256, largestScale = 0;
        // A group of zeros takes no place among the points and signs: llama.cpp stores those of later groups one group too early,
        // where they are read back for the wrong weights. Files are to be the same, so it is done here as well.
        for (int g = 0, place = 0; g < 8; g++)
        {
            ReadOnlySpan<float> group = values.Slice(g * 32, 32);
            if (importance.IsEmpty) ErrorWeights.BySquare(group, fit.Weights);
            else ErrorWeights.ByImportance(group, importance.Slice(g * 32, 32), meanSquare, fit.Weights);
            float largest = fit.Start(group, evenSigns: false);
            scales[g] = 0;
            if (largest == 0) continue;
            scales[g] = fit.Search(largest, largest / 15);
            for (int k = 0; k < 8; k++)
            {
                int point = fit.Index(k);
                Points[place * 8 + k] = (byte)point;
                HighBits[g] |= (byte)(point >> 8 << k);
            }
            for (int k = 0; k < 4; k++) Signs[place * 4 + k] = (byte)(fit.Signs >> 8 * k);
            place++;
            largestScale = largestScale > scales[g] ? largestScale : scales[g];
        }
        if (largestScale == 0) return;
        float scale = largestScale / 31;
        Scale = (Half)(scale * 1.033f);
        for (int g = 0; g < 8; g++) Groups[g / 2] |= (byte)(ScaleSearch.RoundOdd(scales[g], 1 / scale, 15) << g % 2 * 4);
    }

    public static float Dot(ReadOnlySpan<IQ3_S> weights, ReadOnlySpan<Q8_K> activations) =>
        InstructionSets.HasAvx2 ? DotAvx2(weights, activations) : InstructionSets.HasNeon ? NeonLevels.Dot(weights, activations) : DotScalar(weights, activations);

    internal static float DotScalar(ReadOnlySpan<IQ3_S> weights, ReadOnlySpan<Q8_K> activations)
    {
        float total = 0;
        for (int b = 0; b < weights.Length; b++)
        {
            ref readonly IQ3_S w = ref weights[b];
            ref readonly Q8_K x = ref activations[b];
            int products = 0;
            for (int g = 0; g < 8; g++)
            {
                int sum = 0;
                for (int i = g * 32; i < g * 32 + 32; i++) sum += w.Magnitude(i) * w.Sign(i) * x.Quants[i];
                products += w.GroupScale(g) * sum;
            }
            total += (float)w.Scale * x.Scale * products;
        }
        return total;
    }
}
