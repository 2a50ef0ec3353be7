using System.Runtime.InteropServices;

namespace Nibble.Formats;

/// <summary>128 weights of which only the sign is kept, sharing one half-precision scale: w = Scale where the bit is set, else -Scale.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public partial struct Q1_0 : IWeightBlock<Q1_0, Q8_0>
{
    public Half Scale;      // d
    public Byte16 Signs;    // qs: weight j is bit j % 8 of byte j / 8

    public static string Name => "Q1_0";
    public static int GgufType => 41;
    public static int BlockSize => 128;

    /// <summary>1 or -1.</summary>
    private static int Sign(ReadOnlySpan<byte> signs, int i) => (signs[i / 8] >> i % 8 & 1) * 2 - 1;

    public static void Dequantize(ReadOnlySpan<Q1_0> blocks, Span<float> destination)
    {
        if (InstructionSets.HasVectors) LevelValues.Dequantize(blocks, destination);
        else DequantizeScalar(blocks, destination);
    }

    internal static void DequantizeScalar(ReadOnlySpan<Q1_0> blocks, Span<float> destination)
    {
        for (int b = 0; b < blocks.Length; b++)
        {
            float scale = (float)blocks[b].Scale;
            ReadOnlySpan<byte> signs = blocks[b].Signs;
            Span<float> values = destination.Slice(b * 128, 128);
            for (int i = 0; i < 128; i++) values[i] = Sign(signs, i) * scale;
        }
    }

    public static void Quantize(ReadOnlySpan<float> source, Span<Q1_0> blocks)
    {
        if (InstructionSets.HasAvx2) QuantizeAvx2(source, blocks);
        else QuantizeScalar(source, blocks);
    }

    internal static void QuantizeScalar(ReadOnlySpan<float> source, Span<Q1_0> blocks)
    {
        for (int b = 0; b < blocks.Length; b++)
        {
            ReadOnlySpan<float> values = source.Slice(b * 128, 128);
            // The mean magnitude is the scale of least square error.
            float sum = 0;
            foreach (float v in values) sum += MathF.Abs(v);
            blocks[b].Scale = (Half)(sum / 128);
            blocks[b].Signs = default;
            for (int i = 0; i < 128; i++)
                if (values[i] >= 0) blocks[b].Signs[i / 8] |= (byte)(1 << i % 8);
        }
    }

    public static void Quantize(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<Q1_0> blocks) => Quantize(source, blocks);

    public static float Dot(ReadOnlySpan<Q1_0> weights, ReadOnlySpan<Q8_0> activations) =>
        InstructionSets.HasAvx2 ? DotAvx2(weights, activations) : InstructionSets.HasNeon ? NeonLevels.Dot(weights, activations) : DotScalar(weights, activations);

    internal static float DotScalar(ReadOnlySpan<Q1_0> weights, ReadOnlySpan<Q8_0> activations)
    {
        float total = 0;
        for (int run = 0; run < weights.Length * 4; run++)
        {
            ReadOnlySpan<byte> signs = weights[run / 4].Signs[(run % 4 * 4)..(run % 4 * 4 + 4)];
            ReadOnlySpan<sbyte> x = activations[run].Quants;
            int products = 0;
            for (int i = 0; i < 32; i++) products += Sign(signs, i) * x[i];
            total += products * ((float)weights[run / 4].Scale * (float)activations[run].Scale);
        }
        return total;
    }
}
