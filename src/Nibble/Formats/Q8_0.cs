using System.Runtime.InteropServices;

namespace Nibble.Formats;

/// <summary>32 weights or activations as signed bytes sharing one half-precision scale: w = Scale * q.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public partial struct Q8_0 : IWeightBlock<Q8_0, Q8_0>, IActivationBlock<Q8_0>
{
    public Half Scale;      // d
    public SByte32 Quants;  // qs

    public static string Name => "Q8_0";
    public static int GgufType => 8;
    public static int BlockSize => 32;

    static float IActivationBlock<Q8_0>.ScaleOf(in Q8_0 block) => (float)block.Scale;

    static ref readonly sbyte IActivationBlock<Q8_0>.NumbersOf(in Q8_0 block) => ref block.Quants[0];

    public static void Dequantize(ReadOnlySpan<Q8_0> blocks, Span<float> destination)
    {
        if (InstructionSets.HasVectors) LevelValues.Dequantize(blocks, destination);
        else DequantizeScalar(blocks, destination);
    }

    internal static void DequantizeScalar(ReadOnlySpan<Q8_0> blocks, Span<float> destination)
    {
        for (int b = 0; b < blocks.Length; b++)
        {
            float scale = (float)blocks[b].Scale;
            ReadOnlySpan<sbyte> quants = blocks[b].Quants;
            for (int i = 0; i < 32; i++) destination[b * 32 + i] = scale * quants[i];
        }
    }

    public static void Quantize(ReadOnlySpan<float> source, Span<Q8_0> blocks)
    {
        if (InstructionSets.HasAvx2) QuantizeAvx2(source, blocks);
        else if (InstructionSets.HasNeon) QuantizeNeon(source, blocks);
        else QuantizeScalar(source, blocks);
    }

    public static void Quantize(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<Q8_0> blocks) => Quantize(source, blocks);

    internal static void QuantizeScalar(ReadOnlySpan<float> source, Span<Q8_0> blocks)
    {
        for (int b = 0; b < blocks.Length; b++)
        {
            ReadOnlySpan<float> values = source.Slice(b * 32, 32);
            float scale = MathF.Abs(ScaleSearch.Extreme(values)) / 127;
            float inverse = scale != 0 ? 1 / scale : 0;
            Span<sbyte> quants = blocks[b].Quants;
            for (int i = 0; i < 32; i++) quants[i] = (sbyte)Rounding.AwayFromZero(values[i] * inverse);
            blocks[b].Scale = (Half)scale;
        }
    }

    public static float Dot(ReadOnlySpan<Q8_0> weights, ReadOnlySpan<Q8_0> activations) =>
        InstructionSets.HasAvx2 ? DotAvx2(weights, activations) : InstructionSets.HasNeon ? NeonLevels.Dot(weights, activations) : DotScalar(weights, activations);

    internal static float DotScalar(ReadOnlySpan<Q8_0> weights, ReadOnlySpan<Q8_0> activations)
    {
        float total = 0;
        for (int b = 0; b < weights.Length; b++)
        {
            ReadOnlySpan<sbyte> w = weights[b].Quants, x = activations[b].Quants;
            int products = 0;
            for (int i = 0; i < 32; i++) products += w[i] * x[i];
            total += products * ((float)weights[b].Scale * (float)activations[b].Scale);
        }
        return total;
    }
}
