using System.Runtime.InteropServices;

namespace Nibble.Formats;

/// <summary>32 weights of 4 bits sharing one half-precision scale: w = Scale * (q - 8).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public partial struct Q4_0 : IWeightBlock<Q4_0, Q8_0>
{
    public Half Scale;      // d
    public Byte16 Quants;   // qs: weight j in the low nibble of byte j, weight j + 16 in the high one

    public static string Name => "Q4_0";
    public static int GgufType => 2;
    public static int BlockSize => 32;

    public static void Dequantize(ReadOnlySpan<Q4_0> blocks, Span<float> destination)
    {
        if (InstructionSets.HasVectors) LevelValues.Dequantize(blocks, destination);
        else DequantizeScalar(blocks, destination);
    }

    internal static void DequantizeScalar(ReadOnlySpan<Q4_0> blocks, Span<float> destination)
    {
        for (int b = 0; b < blocks.Length; b++)
        {
            float scale = (float)blocks[b].Scale;
            ReadOnlySpan<byte> quants = blocks[b].Quants;
            Span<float> values = destination.Slice(b * 32, 32);
            for (int j = 0; j < 16; j++)
            {
                values[j] = scale * ((quants[j] & 15) - 8);
                values[j + 16] = scale * ((quants[j] >> 4) - 8);
            }
        }
    }

    public static void Quantize(ReadOnlySpan<float> source, Span<Q4_0> blocks)
    {
        if (InstructionSets.HasAvx2) QuantizeAvx2(source, blocks);
        else QuantizeScalar(source, blocks);
    }

    internal static void QuantizeScalar(ReadOnlySpan<float> source, Span<Q4_0> blocks)
    {
        Span<byte> quants = stackalloc byte[32];
        for (int b = 0; b < blocks.Length; b++)
        {
            ReadOnlySpan<float> values = source.Slice(b * 32, 32);
            // The value of largest magnitude becomes -8 exactly; the other sign ends at 7.
            float scale = ScaleSearch.Extreme(values) / -8;
            float inverse = scale != 0 ? 1 / scale : 0;
            for (int i = 0; i < 32; i++) quants[i] = (byte)Math.Min(15, (int)(sbyte)Rounding.TowardZero(values[i] * inverse + 8.5f));
            blocks[b].Scale = (Half)scale;
            Nibbles.Pack(quants, half: 16, blocks[b].Quants);
        }
    }

    public static void Quantize(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<Q4_0> blocks)
    {
        if (InstructionSets.HasAvx512) QuantizeLanes<Lanes32>(source, importance, blocks);
        else if (InstructionSets.HasVectors) QuantizeLanes<Lanes8>(source, importance, blocks);
        else QuantizeScalar(source, importance, blocks);
    }

    internal static void QuantizeScalar(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<Q4_0> blocks)
    {
        Span<byte> quants = stackalloc byte[32];
        Span<float> weights = stackalloc float[32];
        float meanSquare = ErrorWeights.SumOfSquares(source) / source.Length;
        for (int b = 0; b < blocks.Length; b++)
        {
            ReadOnlySpan<float> values = source.Slice(b * 32, 32);
            ErrorWeights.ByImportance(values, importance.Slice(b * 32, 32), meanSquare, weights);
            blocks[b].Scale = (Half)ScaleSearch.Symmetric(values, weights, limit: 8, quants);
            Nibbles.Pack(quants, half: 16, blocks[b].Quants);
        }
    }

    public static float Dot(ReadOnlySpan<Q4_0> weights, ReadOnlySpan<Q8_0> activations) =>
        InstructionSets.HasAvx2 ? DotAvx2(weights, activations) : InstructionSets.HasNeon ? NeonLevels.Dot(weights, activations) : DotScalar(weights, activations);

    internal static float DotScalar(ReadOnlySpan<Q4_0> weights, ReadOnlySpan<Q8_0> activations)
    {
        float total = 0;
        for (int b = 0; b < weights.Length; b++)
        {
            ReadOnlySpan<byte> quants = weights[b].Quants;
            ReadOnlySpan<sbyte> x = activations[b].Quants;
            int products = 0;
            for (int j = 0; j < 16; j++) products += ((quants[j] & 15) - 8) * x[j] + ((quants[j] >> 4) - 8) * x[j + 16];
            total += products * ((float)weights[b].Scale * (float)activations[b].Scale);
        }
        return total;
    }
}
