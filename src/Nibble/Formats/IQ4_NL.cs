using System.Runtime.InteropServices;

namespace Nibble.Formats;

/// <summary>
/// 32 weights of 4 bits that choose one of 16 levels, denser around zero where weights are many, and share one
/// half-precision scale: w = Scale * level[q].
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public partial struct IQ4_NL : IWeightBlock<IQ4_NL, Q8_0>
{
    public Half Scale;      // d
    public Byte16 Quants;   // qs: weight j in the low nibble of byte j, weight j + 16 in the high one

    public static string Name => "IQ4_NL";
    public static int GgufType => 20;
    public static int BlockSize => 32;

    internal static ReadOnlySpan<sbyte> Levels => [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

    internal static LevelTable LevelSearch { get; } = new(Levels);

    public static void Dequantize(ReadOnlySpan<IQ4_NL> blocks, Span<float> destination)
    {
        if (InstructionSets.HasVectors) LevelValues.Dequantize(blocks, destination);
        else DequantizeScalar(blocks, destination);
    }

    internal static void DequantizeScalar(ReadOnlySpan<IQ4_NL> blocks, Span<float> destination)
    {
        for (int b = 0; b < blocks.Length; b++)
        {
            float scale = (float)blocks[b].Scale;
            ReadOnlySpan<byte> quants = blocks[b].Quants;
            Span<float> values = destination.Slice(b * 32, 32);
            for (int j = 0; j < 16; j++)
            {
                values[j] = scale * Levels[quants[j] & 15];
                values[j + 16] = scale * Levels[quants[j] >> 4];
            }
        }
    }

    public static void Quantize(ReadOnlySpan<float> source, Span<IQ4_NL> blocks) => Quantize(source, [], blocks);

    public static void Quantize(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<IQ4_NL> blocks)
    {
        if (InstructionSets.HasAvx512) QuantizeLanes<Lanes32>(source, importance, blocks);
        else if (InstructionSets.HasVectors) QuantizeLanes<Lanes8>(source, importance, blocks);
        else QuantizeScalar(source, importance, blocks);
    }

    internal static void QuantizeScalar(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<IQ4_NL> blocks)
    {
        Span<byte> quants = stackalloc byte[32];
        Span<float> weights = stackalloc float[32];
        for (int b = 0; b < blocks.Length; b++)
        {
            ReadOnlySpan<float> values = source.Slice(b * 32, 32);
            if (importance.IsEmpty)
                ErrorWeights.BySquare(values, weights);
            else
                ErrorWeights.ByImportance(values, importance.Slice(b * 32, 32), ErrorWeights.SumOfSquares(values) * (2f / 32), weights);
            float scale = ScaleSearch.ToLevels(values, weights, LevelSearch, steps: 7);
            float inverse = scale != 0 ? 1 / scale : 0;
            for (int i = 0; i < 32; i++) quants[i] = (byte)LevelSearch.Nearest(inverse * values[i]);
            blocks[b].Scale = (Half)scale;
            Nibbles.Pack(quants, half: 16, blocks[b].Quants);
        }
    }

    public static float Dot(ReadOnlySpan<IQ4_NL> weights, ReadOnlySpan<Q8_0> activations) =>
        InstructionSets.HasAvx2 ? DotAvx2(weights, activations) : InstructionSets.HasNeon ? NeonLevels.Dot(weights, activations) : DotScalar(weights, activations);

    internal static float DotScalar(ReadOnlySpan<IQ4_NL> weights, ReadOnlySpan<Q8_0> activations)
    {
        float total = 0;
        for (int b = 0; b < weights.Length; b++)
        {
            ReadOnlySpan<byte> quants = weights[b].Quants;
            ReadOnlySpan<sbyte> x = activations[b].Quants;
            int products = 0;
            for (int j = 0; j < 16; j++) products += Levels[quants[j] & 15] * x[j] + Levels[quants[j] >> 4] * x[j + 16];
            total += products * ((float)weights[b].Scale * (float)activations[b].Scale);
        }
        return total;
    }
}
