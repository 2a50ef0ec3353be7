using System.Runtime.InteropServices;

namespace Nibble.Formats;

/// <summary>32 weights of 5 bits sharing one half-precision scale: w = Scale * (q - 16).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public partial struct Q5_0 : IWeightBlock<Q5_0, Q8_0>
{
    public Half Scale;      // d
    public uint FifthBits;  // qh: bit i is bit 4 of weight i
    public Byte16 Quants;   // qs: bits 3-0 of weight j in the low nibble of byte j, of weight j + 16 in the high one

    public static string Name => "Q5_0";
    public static int GgufType => 6;
    public static int BlockSize => 32;

    public static void Dequantize(ReadOnlySpan<Q5_0> blocks, Span<float> destination)
    {
        if (InstructionSets.HasVectors) LevelValues.Dequantize(blocks, destination);
        else DequantizeScalar(blocks, destination);
    }

    internal static void DequantizeScalar(ReadOnlySpan<Q5_0> blocks, Span<float> destination)
    {
        for (int b = 0; b < blocks.Length; b++)
        {
            float scale = (float)blocks[b].Scale;
            uint high = blocks[b].FifthBits;
            ReadOnlySpan<byte> quants = blocks[b].Quants;
            Span<float> values = destination.Slice(b * 32, 32);
            for (int j = 0; j < 16; j++)
            {
                values[j] = scale * ((quants[j] & 15 | HighBits.At(high, j)) - 16);
                values[j + 16] = scale * ((quants[j] >> 4 | HighBits.At(high, j + 16)) - 16);
            }
        }
    }

    public static void Quantize(ReadOnlySpan<float> source, Span<Q5_0> blocks)
    {
        if (InstructionSets.HasAvx2) QuantizeAvx2(source, blocks);
        else QuantizeScalar(source, blocks);
    }

    internal static void QuantizeScalar(ReadOnlySpan<float> source, Span<Q5_0> blocks)
    {
        Span<byte> quants = stackalloc byte[32];
        for (int b = 0; b < blocks.Length; b++)
        {
            ReadOnlySpan<float> values = source.Slice(b * 32, 32);
            // The value of largest magnitude becomes -16 exactly; the other sign ends at 15.
            float scale = ScaleSearch.Extreme(values) / -16;
            float inverse = scale != 0 ? 1 / scale : 0;
            for (int i = 0; i < 32; i++) quants[i] = (byte)Math.Min(31, (int)(sbyte)Rounding.TowardZero(values[i] * inverse + 16.5f));
            blocks[b].Store((Half)scale, quants);
        }
    }

    public static void Quantize(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<Q5_0> blocks)
    {
        if (InstructionSets.HasAvx512) QuantizeLanes<Lanes32>(source, importance, blocks);
        else if (InstructionSets.HasVectors) QuantizeLanes<Lanes8>(source, importance, blocks);
        else QuantizeScalar(source, importance, blocks);
    }

    internal static void QuantizeScalar(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<Q5_0> blocks)
    {
        Span<byte> quants = stackalloc byte[32];
        Span<float> weights = stackalloc float[32];
        float meanSquare = ErrorWeights.SumOfSquares(source) / source.Length;
        for (int b = 0; b < blocks.Length; b++)
        {
            ReadOnlySpan<float> values = source.Slice(b * 32, 32);
            ErrorWeights.ByImportance(values, importance.Slice(b * 32, 32), meanSquare, weights);
            float scale = ScaleSearch.Symmetric(values, weights, limit: 16, quants);
            blocks[b].Store((Half)scale, quants);
        }
    }

    private void Store(Half scale, ReadOnlySpan<byte> quants)
    {
        Scale = scale;
        FifthBits = HighBits.Pack(quants);
        Nibbles.Pack(quants, half: 16, Quants);
    }

    public static float Dot(ReadOnlySpan<Q5_0> weights, ReadOnlySpan<Q8_0> activations) =>
        InstructionSets.HasAvx2 ? DotAvx2(weights, activations) : InstructionSets.HasNeon ? NeonLevels.Dot(weights, activations) : DotScalar(weights, activations);

    internal static float DotScalar(ReadOnlySpan<Q5_0> weights, ReadOnlySpan<Q8_0> activations)
    {
        float total = 0;
        for (int b = 0; b < weights.Length; b++)
        {
            uint high = weights[b].FifthBits;
            ReadOnlySpan<byte> quants = weights[b].Quants;
            ReadOnlySpan<sbyte> x = activations[b].Quants;
            int products = 0;
            for (int j = 0; j < 16; j++)
            {
                products += ((quants[j] & 15 | HighBits.At(high, j)) - 16) * x[j];
                products += ((quants[j] >> 4 | HighBits.At(high, j + 16)) - 16) * x[j + 16];
            }
            total += products * ((float)weights[b].Scale * (float)activations[b].Scale);
        }
        return total;
    }
}
