using System.Runtime.InteropServices;

namespace Nibble.Formats;

/// <summary>
/// 256 weights of 3 bits in sixteen groups of 16. Each group has a signed 6-bit scale, a multiple of the block's:
/// w = Scale * scale[group] * (q - 4).
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public partial struct Q3_K : IWeightBlock<Q3_K, Q8_K>
{
    public Byte32 ThirdBits;           // hmask: bit g of byte i is bit 2 of weight g * 32 + i
    public Byte64 Quants;              // qs: bits 1-0, see TwoBits
    public SignedSixBitScales Groups;  // scales
    public Half Scale;                 // d

    public static string Name => "Q3_K";
    public static int GgufType => 11;
    public static int BlockSize => 256;

    /// <summary>The quant of weight <paramref name="i"/>, 0 … 7.</summary>
    private static int Quant(ReadOnlySpan<byte> quants, ReadOnlySpan<byte> thirds, int i) => TwoBits.At(quants, i) | (thirds[i % 32] >> i / 32 & 1) << 2;

    public static void Dequantize(ReadOnlySpan<Q3_K> blocks, Span<float> destination)
    {
        if (InstructionSets.HasVectors) LevelValues.Dequantize(blocks, destination);
        else DequantizeScalar(blocks, destination);
    }

    internal static void DequantizeScalar(ReadOnlySpan<Q3_K> blocks, Span<float> destination)
    {
        for (int b = 0; b < blocks.Length; b++)
        {
            ref readonly Q3_K block = ref blocks[b];
            ReadOnlySpan<byte> quants = block.Quants, thirds = block.ThirdBits;
            for (int g = 0; g < 16; g++)
            {
                float scale = (float)block.Scale * block.Groups.Scale(g);
                Span<float> values = destination.Slice(b * 256 + g * 16, 16);
                for (int i = 0; i < 16; i++) values[i] = scale * (Quant(quants, thirds, g * 16 + i) - 4);
            }
        }
    }

    public static void Quantize(ReadOnlySpan<float> source, Span<Q3_K> blocks) => Quantize(source, [], blocks);

    public static void Quantize(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<Q3_K> blocks)
    {
        if (InstructionSets.HasAvx512) QuantizeLanes<Lanes32>(source, importance, blocks);
        else if (InstructionSets.HasVectors) QuantizeLanes<Lanes8>(source, importance, blocks);
        else QuantizeScalar(source, importance, blocks);
    }

    internal static void QuantizeScalar(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<Q3_K> blocks)
    {
        Span<byte> quants = stackalloc byte[256];
        for (int b = 0; b < blocks.Length; b++)
        {
            ref Q3_K block = ref blocks[b];
            ReadOnlySpan<float> values = source.Slice(b * 256, 256);
            if (importance.IsEmpty) block.ChooseScales(values, quants);
            else block.ChooseScales(values, importance.Slice(b * 256, 256), quants);
            for (int g = 0; g < 16; g++)
                ScaleSearch.RoundSymmetric(values.Slice(g * 16, 16), (float)block.Scale * block.Groups.Scale(g), limit: 4, quants.Slice(g * 16, 16));
            block.StoreQuants(quants);
        }
    }

    private void StoreQuants(ReadOnlySpan<byte> quants)
    {
        TwoBits.Pack(quants, shift: 0, Quants);
        BitPlanes.Pack(quants, bit: 2, ThirdBits);
    }

    private void ChooseScales(ReadOnlySpan<float> values, Span<byte> quants)
    {
        Span<float> scales = stackalloc float[16];
        for (int g = 0; g < 16; g++) scales[g] = ScaleSearch.SymmetricStepwise(values.Slice(g * 16, 16), limit: 4, quants.Slice(g * 16, 16));
        StoreScales(scales);
    }

    /// <summary>Without importance the scale of largest magnitude becomes -32.</summary>
    private void StoreScales(ReadOnlySpan<float> scales)
    {
        Span<byte> scaleQuants = stackalloc byte[16];
        float extreme = ScaleSearch.Extreme(scales);
        Groups = default;
        Scale = default;
        if (extreme == 0) return;
        float inverse = -32 / extreme;
        for (int g = 0; g < 16; g++) scaleQuants[g] = (byte)(Math.Max(-32, Math.Min(31, (int)(sbyte)Rounding.ToEven(inverse * scales[g]))) + 32);
        Groups.Store(scaleQuants);
        Scale = (Half)(1 / inverse);
    }

    private void ChooseScales(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, Span<byte> quants)
    {
        Span<float> scales = stackalloc float[16], weights = stackalloc float[16], groupWeights = stackalloc float[16];
        Span<byte> scaleQuants = stackalloc byte[16];
        float meanSquare = 2 * ErrorWeights.SumOfSquares(values) / 256;
        for (int g = 0; g < 16; g++)
        {
            ReadOnlySpan<float> group = values.Slice(g * 16, 16);
            groupWeights[g] = ErrorWeights.ByImportance(group, importance.Slice(g * 16, 16), meanSquare, weights);
            scales[g] = ScaleSearch.Symmetric(group, weights, limit: 4, quants.Slice(g * 16, 16));
        }
        Scale = (Half)ScaleSearch.Symmetric(scales, groupWeights, limit: 32, scaleQuants);
        Groups.Store(scaleQuants);
    }

    public static float Dot(ReadOnlySpan<Q3_K> weights, ReadOnlySpan<Q8_K> activations) =>
        InstructionSets.HasAvx2 ? DotAvx2(weights, activations) : InstructionSets.HasNeon ? NeonLevels.Dot(weights, activations) : DotScalar(weights, activations);

    internal static float DotScalar(ReadOnlySpan<Q3_K> weights, ReadOnlySpan<Q8_K> activations)
    {
        float total = 0;
        for (int b = 0; b < weights.Length; b++)
        {
            ref readonly Q3_K w = ref weights[b];
            ref readonly Q8_K x = ref activations[b];
            ReadOnlySpan<byte> quants = w.Quants, thirds = w.ThirdBits;
            int products = 0;
            for (int g = 0; g < 16; g++)
            {
                int sum = 0;
                for (int i = g * 16; i < g * 16 + 16; i++) sum += (Quant(quants, thirds, i) - 4) * x.Quants[i];
                products += w.Groups.Scale(g) * sum;
            }
            total += (float)w.Scale * x.Scale * products;
        }
        return total;
    }
}
