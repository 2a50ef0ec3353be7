using System.Runtime.InteropServices;

namespace Nibble.Formats;

/// <summary>
/// 256 weights of 2 bits in sixteen groups of 16. Each group has a 4-bit scale and minimum, multiples of the block's:
/// w = Scale * scale[group] * q - Minimum * minimum[group].
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public partial struct Q2_K : IWeightBlock<Q2_K, Q8_K>
{
    private static AffineCandidates Candidates => new(-0.5f, 0.1f, 15, AbsoluteError: true);

    public Byte16 Groups;   // scales: of each group the scale in bits 3-0, the minimum in bits 7-4
    public Byte64 Quants;   // qs: see TwoBits
    public Half Scale;      // d
    public Half Minimum;    // dmin

    public static string Name => "Q2_K";
    public static int GgufType => 10;
    public static int BlockSize => 256;

    public static void Dequantize(ReadOnlySpan<Q2_K> blocks, Span<float> destination)
    {
        if (InstructionSets.HasVectors) LevelValues.Dequantize(blocks, destination);
        else DequantizeScalar(blocks, destination);
    }

    internal static void DequantizeScalar(ReadOnlySpan<Q2_K> blocks, Span<float> destination)
    {
        for (int b = 0; b < blocks.Length; b++)
        {
            ref readonly Q2_K block = ref blocks[b];
            ReadOnlySpan<byte> quants = block.Quants;
            for (int g = 0; g < 16; g++)
            {
                float scale = (float)block.Scale * (block.Groups[g] & 15), minimum = (float)block.Minimum * (block.Groups[g] >> 4);
                Span<float> values = destination.Slice(b * 256 + g * 16, 16);
                for (int i = 0; i < 16; i++) values[i] = scale * TwoBits.At(quants, g * 16 + i) - minimum;
            }
        }
    }

    public static void Quantize(ReadOnlySpan<float> source, Span<Q2_K> blocks) => Quantize(source, [], blocks);

    public static void Quantize(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<Q2_K> blocks)
    {
        if (InstructionSets.HasAvx512) QuantizeLanes<Lanes32>(source, importance, blocks);
        else if (InstructionSets.HasVectors) QuantizeLanes<Lanes8>(source, importance, blocks);
        else QuantizeScalar(source, importance, blocks);
    }

    internal static void QuantizeScalar(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<Q2_K> blocks)
    {
        Span<byte> quants = stackalloc byte[256];
        for (int b = 0; b < blocks.Length; b++)
        {
            ref Q2_K block = ref blocks[b];
            ReadOnlySpan<float> values = source.Slice(b * 256, 256);
            if (importance.IsEmpty) block.ChooseScales(values, quants);
            else block.ChooseScales(values, importance.Slice(b * 256, 256), quants);
            for (int g = 0; g < 16; g++)
            {
                float scale = (float)block.Scale * (block.Groups[g] & 15), minimum = (float)block.Minimum * (block.Groups[g] >> 4);
                ScaleSearch.RoundAffine(values.Slice(g * 16, 16), scale, minimum, limit: 3, quants.Slice(g * 16, 16));
            }
            TwoBits.Pack(quants, shift: 0, block.Quants);
        }
    }

    private void ChooseScales(ReadOnlySpan<float> values, Span<byte> quants)
    {
        Span<float> scales = stackalloc float[16], minimums = stackalloc float[16], weights = stackalloc float[16];
        for (int g = 0; g < 16; g++)
        {
            ReadOnlySpan<float> group = values.Slice(g * 16, 16);
            for (int i = 0; i < 16; i++) weights[i] = MathF.Abs(group[i]);
            scales[g] = ScaleSearch.Affine(group, weights, limit: 3, Candidates, quants.Slice(g * 16, 16), out minimums[g]);
        }
        StoreScales(scales, minimums);
    }

    /// <summary>Without importance the largest scale and the largest minimum become 15.</summary>
    private void StoreScales(ReadOnlySpan<float> scales, ReadOnlySpan<float> minimums)
    {
        float largestScale = 0, largestMinimum = 0;
        for (int g = 0; g < 16; g++)
        {
            if (scales[g] > largestScale) largestScale = scales[g];
            if (minimums[g] > largestMinimum) largestMinimum = minimums[g];
        }
        float inverseScale = largestScale > 0 ? 15 / largestScale : 0;
        float inverseMinimum = largestMinimum > 0 ? 15 / largestMinimum : 0;
        for (int g = 0; g < 16; g++)
            Groups[g] = (byte)(Rounding.ToEven(inverseScale * scales[g]) | Rounding.ToEven(inverseMinimum * minimums[g]) << 4);
        Scale = (Half)(largestScale / 15);
        Minimum = (Half)(largestMinimum / 15);
    }

    private void ChooseScales(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, Span<byte> quants)
    {
        Span<float> scales = stackalloc float[16], minimums = stackalloc float[16], weights = stackalloc float[16], groupWeights = stackalloc float[16];
        Span<byte> scaleQuants = stackalloc byte[16], minimumQuants = stackalloc byte[16];
        float meanSquare = ErrorWeights.SumOfSquares(values) / 256;
        for (int g = 0; g < 16; g++)
        {
            ReadOnlySpan<float> group = values.Slice(g * 16, 16);
            groupWeights[g] = ErrorWeights.ByImportance(group, importance.Slice(g * 16, 16), meanSquare, weights);
            scales[g] = ScaleSearch.Affine(group, weights, limit: 3, AffineCandidates.WithImportance, quants.Slice(g * 16, 16), out minimums[g]);
        }
        Scale = (Half)ScaleSearch.Positive(scales, groupWeights, 15, scaleQuants);
        Minimum = (Half)ScaleSearch.Positive(minimums, groupWeights, 15, minimumQuants);
        for (int g = 0; g < 16; g++) Groups[g] = (byte)(scaleQuants[g] | minimumQuants[g] << 4);
    }

    public static float Dot(ReadOnlySpan<Q2_K> weights, ReadOnlySpan<Q8_K> activations) =>
        InstructionSets.HasAvx2 ? DotAvx2(weights, activations) : InstructionSets.HasNeon ? NeonLevels.Dot(weights, activations) : DotScalar(weights, activations);

    internal static float DotScalar(ReadOnlySpan<Q2_K> weights, ReadOnlySpan<Q8_K> activations)
    {
        float total = 0;
        for (int b = 0; b < weights.Length; b++)
        {
            ref readonly Q2_K w = ref weights[b];
            ref readonly Q8_K x = ref activations[b];
            ReadOnlySpan<byte> quants = w.Quants;
            int products = 0, minimums = 0;
            for (int g = 0; g < 16; g++)
            {
                int sum = 0;
                for (int i = g * 16; i < g * 16 + 16; i++) sum += TwoBits.At(quants, i) * x.Quants[i];
                products += (w.Groups[g] & 15) * sum;
                minimums += (w.Groups[g] >> 4) * x.Sums[g];
            }
            total += (float)w.Scale * x.Scale * products - (float)w.Minimum * x.Scale * minimums;
        }
        return total;
    }
}
