using System.Runtime.InteropServices;

namespace Nibble.Formats;

/// <summary>64 weights of 2 bits sharing one half-precision scale: w = Scale * (q - 1).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public partial struct Q2_0 : IWeightBlock<Q2_0, Q8_0>
{
    public Half Scale;      // d
    public Byte16 Quants;   // qs: weight j is bits 2 * (j % 4) + 1 and 2 * (j % 4) of byte j / 4

    public static string Name => "Q2_0";
    public static int GgufType => 42;
    public static int BlockSize => 64;

    private static int Quant(ReadOnlySpan<byte> quants, int i) => quants[i / 4] >> i % 4 * 2 & 3;

    public static void Dequantize(ReadOnlySpan<Q2_0> blocks, Span<float> destination)
    {
        if (InstructionSets.HasVectors) LevelValues.Dequantize(blocks, destination);
        else DequantizeScalar(blocks, destination);
    }

    internal static void DequantizeScalar(ReadOnlySpan<Q2_0> blocks, Span<float> destination)
    {
        for (int b = 0; b < blocks.Length; b++)
        {
            float scale = (float)blocks[b].Scale;
            ReadOnlySpan<byte> quants = blocks[b].Quants;
            Span<float> values = destination.Slice(b * 64, 64);
            for (int i = 0; i < 64; i++) values[i] = (Quant(quants, i) - 1) * scale;
        }
    }

    public static void Quantize(ReadOnlySpan<float> source, Span<Q2_0> blocks)
    {
        if (InstructionSets.HasAvx2) QuantizeAvx2(source, blocks);
        else QuantizeScalar(source, blocks);
    }

    internal static void QuantizeScalar(ReadOnlySpan<float> source, Span<Q2_0> blocks)
    {
        for (int b = 0; b < blocks.Length; b++)
        {
            ReadOnlySpan<float> values = source.Slice(b * 64, 64);
            // The largest magnitude becomes 1 or -1: the fourth quant, 2, only serves models that were trained with it.
            float scale = MathF.Abs(ScaleSearch.Extreme(values));
            float inverse = scale > 0 ? 1 / scale : 0;
            blocks[b].Scale = (Half)scale;
            blocks[b].Quants = default;
            for (int i = 0; i < 64; i++)
            {
                int quant = Math.Clamp(Rounding.AwayFromZero(values[i] * inverse) + 1, 0, 3);
                blocks[b].Quants[i / 4] |= (byte)(quant << i % 4 * 2);
            }
        }
    }

    public static void Quantize(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<Q2_0> blocks) => Quantize(source, blocks);

    public static float Dot(ReadOnlySpan<Q2_0> weights, ReadOnlySpan<Q8_0> activations) =>
        InstructionSets.HasAvx2 ? DotAvx2(weights, activations) : InstructionSets.HasNeon ? NeonLevels.Dot(weights, activations) : DotScalar(weights, activations);

    internal static float DotScalar(ReadOnlySpan<Q2_0> weights, ReadOnlySpan<Q8_0> activations)
    {
        float total = 0;
        for (int run = 0; run < weights.Length * 2; run++)
        {
            ReadOnlySpan<byte> quants = weights[run / 2].Quants[(run % 2 * 8)..(run % 2 * 8 + 8)];
            ReadOnlySpan<sbyte> x = activations[run].Quants;
            int products = 0;
            for (int i = 0; i < 32; i++) products += (Quant(quants, i) - 1) * x[i];
            total += products * ((float)weights[run / 2].Scale * (float)activations[run].Scale);
        }
        return total;
    }
}
