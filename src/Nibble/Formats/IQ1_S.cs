using System.Runtime.InteropServices;

namespace Nibble.Formats;

/// <summary>
/// 256 weights in eight groups of 32. Every eight are a point of a codebook of 2,048 whose coordinates are -1, 0 and 1; a group's are
/// all shifted by an eighth: w = Scale * (2 * scale[group] + 1) * (coordinate ± 1/8).
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public partial struct IQ1_S : IWeightBlock<IQ1_S, Q8_K>
{
    public Half Scale;          // d
    public Byte32 Points;       // qs: bits 7-0 of the points of eight weights each
    public UInt16x8 Groups;     // qh: bit 15 whether the shift is down, bits 14-12 the scale, 3k + 2 to 3k bits 10-8 of point k of the group

    public static string Name => "IQ1_S";
    public static int GgufType => 19;
    public static int BlockSize => 256;
    public static bool NeedsImportance => true;

    /// <summary>Eight times eight coordinates, in a byte each; shared with <see cref="IQ1_M"/>.</summary>
    internal static ulong[] Eighths { get; } = Codebooks.IQ1.InBytes(-8, 0, 8);

    /// <summary>Eight times the shifted coordinate of weight <paramref name="i"/>.</summary>
    private readonly int InEighths(int i)
    {
        int group = Groups[i / 32], point = Points[i / 8] | (group >> i % 32 / 8 * 3 & 7) << 8;
        return (sbyte)(Eighths[point] >> i % 8 * 8) + EvenSigns.At(group, 15);
    }

    public static void Dequantize(ReadOnlySpan<IQ1_S> blocks, Span<float> destination)
    {
        if (InstructionSets.HasVectors) LevelValues.Dequantize(blocks, destination);
        else DequantizeScalar(blocks, destination);
    }

    internal static void DequantizeScalar(ReadOnlySpan<IQ1_S> blocks, Span<float> destination)
    {
        for (int b = 0; b < blocks.Length; b++)
        {
            ref readonly IQ1_S block = ref blocks[b];
            for (int g = 0; g < 8; g++)
            {
                float scale = (float)block.Scale * (2 * (block.Groups[g] >> 12 & 7) + 1);
                for (int i = 0; i < 32; i++) destination[b * 256 + g * 32 + i] = scale * (block.InEighths(g * 32 + i) * 0.125f);
            }
        }
    }

    public static void Quantize(ReadOnlySpan<float> source, Span<IQ1_S> blocks) => ErrorWeights.ThrowMissing(Name);

    public static void Quantize(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<IQ1_S> blocks)
    {
        TernaryFit fit = new(size: 32);
        for (int b = 0; b < blocks.Length; b++) blocks[b].Quantize(source.Slice(b * 256, 256), importance.Slice(b * 256, 256), fit);
    }

    private void Quantize(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, TernaryFit fit)
    {
        this = default;
        Span<float> scales = stackalloc float[8];
        float meanSquare = 2 * ErrorWeights.SumOfSquares(values) / 256, largestScale = 0;
        int shiftedDown = 0;
        for (int g = 0; g < 8; g++)
        {
            ReadOnlySpan<float> group = values.Slice(g * 32, 32);
            ErrorWeights.ByImportance(group, importance.Slice(g * 32, 32), meanSquare, fit.Weights);
            scales[g] = 0;
            if (TernaryFit.Largest(group) < 1e-12f) continue;
            float found = fit.SearchOneShift(group, out bool isDown);
            if (found < 0) continue;
            scales[g] = found;
            if (isDown) shiftedDown |= 1 << g;
            for (int k = 0; k < 4; k++)
            {
                int point = fit.Index(k);
                Points[g * 4 + k] = (byte)point;
                Groups[g] |= (ushort)(point >> 8 << 3 * k);
            }
            largestScale = largestScale > found ? largestScale : found;
        }
        if (largestScale == 0) return;
        float scale = largestScale / 15;
        Scale = (Half)(scale * 1.125f);
        for (int g = 0; g < 8; g++) Groups[g] |= (ushort)(ScaleSearch.RoundOdd(scales[g], 1 / scale, 7) << 12 | (shiftedDown >> g & 1) << 15);
    }

    public static float Dot(ReadOnlySpan<IQ1_S> weights, ReadOnlySpan<Q8_K> activations) =>
        InstructionSets.HasAvx2 ? DotAvx2(weights, activations) : InstructionSets.HasNeon ? NeonLevels.Dot(weights, activations) : DotScalar(weights, activations);

    internal static float DotScalar(ReadOnlySpan<IQ1_S> weights, ReadOnlySpan<Q8_K> activations)
    {
        float total = 0;
        for (int b = 0; b < weights.Length; b++)
        {
            ref readonly IQ1_S w = ref weights[b];
            ref readonly Q8_K x = ref activations[b];
            int products = 0;
            for (int g = 0; g < 8; g++)
            {
                int sum = 0;
                for (int i = g * 32; i < g * 32 + 32; i++) sum += w.InEighths(i) * x.Quants[i];
                products += (2 * (w.Groups[g] >> 12 & 7) + 1) * sum;
            }
            total += 0.125f * (float)w.Scale * x.Scale * products;
        }
        return total;
    }
}
