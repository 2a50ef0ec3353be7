using System.Runtime.InteropServices;

namespace Nibble.Formats;

/// <summary>256 ternary weights in 2 bits each, sharing one half-precision scale: w = Scale * (q - 1).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public partial struct TQ2_0 : IWeightBlock<TQ2_0, Q8_K>
{
    public Byte64 Quants;   // qs: see TwoBits
    public Half Scale;      // d

    public static string Name => "TQ2_0";
    public static int GgufType => 35;
    public static int BlockSize => 256;

    public static void Dequantize(ReadOnlySpan<TQ2_0> blocks, Span<float> destination)
    {
        if (InstructionSets.HasVectors) LevelValues.Dequantize(blocks, destination);
        else DequantizeScalar(blocks, destination);
    }

    internal static void DequantizeScalar(ReadOnlySpan<TQ2_0> blocks, Span<float> destination)
    {
        for (int b = 0; b < blocks.Length; b++)
        {
            float scale = (float)blocks[b].Scale;
            ReadOnlySpan<byte> quants = blocks[b].Quants;
            Span<float> values = destination.Slice(b * 256, 256);
            for (int i = 0; i < 256; i++) values[i] = (TwoBits.At(quants, i) - 1) * scale;
        }
    }

    public static void Quantize(ReadOnlySpan<float> source, Span<TQ2_0> blocks)
    {
        if (InstructionSets.HasAvx2) QuantizeAvx2(source, blocks);
        else QuantizeScalar(source, blocks);
    }

    internal static void QuantizeScalar(ReadOnlySpan<float> source, Span<TQ2_0> blocks)
    {
        Span<byte> trits = stackalloc byte[256];
        for (int b = 0; b < blocks.Length; b++)
        {
            blocks[b].Scale = (Half)Trits.Round(source.Slice(b * 256, 256), trits);
            TwoBits.Pack(trits, shift: 0, blocks[b].Quants);
        }
    }

    public static void Quantize(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<TQ2_0> blocks) => Quantize(source, blocks);

    public static float Dot(ReadOnlySpan<TQ2_0> weights, ReadOnlySpan<Q8_K> activations) =>
        InstructionSets.HasAvx2 ? DotAvx2(weights, activations) : InstructionSets.HasNeon ? NeonLevels.Dot(weights, activations) : DotScalar(weights, activations);

    internal static float DotScalar(ReadOnlySpan<TQ2_0> weights, ReadOnlySpan<Q8_K> activations)
    {
        float total = 0;
        for (int b = 0; b < weights.Length; b++)
        {
            ReadOnlySpan<byte> quants = weights[b].Quants;
            ReadOnlySpan<sbyte> x = activations[b].Quants;
            int products = 0;
            for (int i = 0; i < 256; i++) products += (TwoBits.At(quants, i) - 1) * x[i];
            total += products * ((float)weights[b].Scale * activations[b].Scale);
        }
        return total;
    }
}
