using System.Runtime.InteropServices;

namespace Nibble.Formats;

/// <summary>
/// 256 weights of 4 bits that choose one of 16 levels and share one half-precision scale, which may be negative:
/// w = Scale * level[q]. The levels are the tensor's own, found by clustering its weights; they are its tail, 16 signed bytes.
/// A format of Nibble, not of llama.cpp.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public partial struct K4_CB : ITensorBlock<K4_CB, Q8_K, SByte16>
{
    public Half Scale;
    public Byte128 Quants;  // of each run of 64 weights, weight j in the low nibble of byte j, weight j + 32 in the high one

    public static string Name => "K4_CB";

    /// <summary>Far from the numbers that llama.cpp counts up from 0: the letters K4CB, first letter in the lowest byte.</summary>
    public static int GgufType => 0x4243_344B;

    public static int BlockSize => 256;

    public static string? Readers => "Nibble";

    /// <summary>
    /// Scales tried for a block, as multiples of the one that brings its largest value to 127. The levels that are found lie further
    /// to one side, so each is tried both ways round: that alone lowers the error from 0.0933 to 0.0909 on the sample model.
    /// </summary>
    private static ReadOnlySpan<float> Candidates =>
        [0.85f, 0.92f, 0.96f, 1, 1.04f, 1.08f, 1.14f, 1.22f, 1.32f, -0.85f, -0.92f, -0.96f, -1, -1.04f, -1.08f, -1.14f, -1.22f, -1.32f];

    public static void Dequantize(ReadOnlySpan<K4_CB> blocks, in SByte16 tail, Span<float> destination)
    {
        ReadOnlySpan<sbyte> levels = tail;
        for (int b = 0; b < blocks.Length; b++)
        {
            float scale = (float)blocks[b].Scale;
            for (int run = 0; run < 4; run++)
            {
                ReadOnlySpan<byte> quants = blocks[b].Quants[(run * 32)..(run * 32 + 32)];
                Span<float> values = destination.Slice(b * 256 + run * 64, 64);
                for (int j = 0; j < 32; j++)
                {
                    values[j] = scale * levels[quants[j] & 15];
                    values[j + 32] = scale * levels[quants[j] >> 4];
                }
            }
        }
    }

    public static void Quantize(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, in SByte16 tail, Span<K4_CB> blocks)
    {
        LevelSteps levels = new(tail);
        Span<byte> quants = stackalloc byte[256];
        Span<float> weights = stackalloc float[256];
        for (int b = 0; b < blocks.Length; b++)
        {
            ReadOnlySpan<float> values = source.Slice(b * 256, 256);
            Weigh(values, importance.IsEmpty ? [] : importance.Slice(b * 256, 256), weights);
            Half scale = (Half)levels.FitScale(values, weights, Candidates);
            float inverse = scale != Half.Zero ? 1 / (float)scale : 0;
            levels.Nearest(values, inverse, quants);
            blocks[b].Scale = scale;
            Nibbles.Pack(quants, half: 32, blocks[b].Quants);
        }
    }

    public static float Dot(ReadOnlySpan<K4_CB> weights, ReadOnlySpan<Q8_K> activations, in SByte16 tail) =>
        InstructionSets.HasAvx2 ? DotAvx2(weights, activations, in tail) : InstructionSets.HasNeon ? DotNeon(weights, activations, in tail) : DotScalar(weights, activations, in tail);

    internal static float DotScalar(ReadOnlySpan<K4_CB> weights, ReadOnlySpan<Q8_K> activations, in SByte16 tail)
    {
        ReadOnlySpan<sbyte> levels = tail;
        float total = 0;
        for (int b = 0; b < weights.Length; b++)
        {
            int products = 0;
            for (int run = 0; run < 4; run++)
            {
                ReadOnlySpan<byte> quants = weights[b].Quants[(run * 32)..(run * 32 + 32)];
                ReadOnlySpan<sbyte> x = activations[b].Quants[(run * 64)..(run * 64 + 64)];
                for (int j = 0; j < 32; j++) products += levels[quants[j] & 15] * x[j] + levels[quants[j] >> 4] * x[j + 32];
            }
            total += (float)weights[b].Scale * activations[b].Scale * products;
        }
        return total;
    }

    /// <summary>How much an error in each value of a block counts: without importance all alike.</summary>
    private static void Weigh(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, Span<float> weights)
    {
        if (importance.IsEmpty) weights.Fill(1);
        else ErrorWeights.ByImportance(values, importance, ErrorWeights.SumOfSquares(values) * (2f / 256), weights);
    }
}
