using System.Runtime.InteropServices;

namespace Nibble.Formats;

/// <summary>256 ternary weights, five to a byte as far as they go, sharing one half-precision scale: w = Scale * (trit - 1).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public partial struct TQ1_0 : IWeightBlock<TQ1_0, Q8_K>
{
    public Byte48 Quants;   // qs: digit n of byte j is weight 32 * n + j (j = 0 … 31), of byte 32 + j weight 160 + 16 * n + j (j = 0 … 15)
    public Byte4 Rest;      // qh: digit n of byte j is weight 240 + 4 * n + j (n, j = 0 … 3)
    public Half Scale;      // d

    public static string Name => "TQ1_0";
    public static int GgufType => 34;
    public static int BlockSize => 256;

    private static int Trit(ReadOnlySpan<byte> quants, ReadOnlySpan<byte> rest, int i) => i switch
    {
        < 160 => Trits.Digit(quants[i % 32], i / 32),
        < 240 => Trits.Digit(quants[32 + i % 16], (i - 160) / 16),
        _ => Trits.Digit(rest[i % 4], (i - 240) / 4),
    };

    public static void Dequantize(ReadOnlySpan<TQ1_0> blocks, Span<float> destination)
    {
        if (InstructionSets.HasVectors) LevelValues.Dequantize(blocks, destination);
        else DequantizeScalar(blocks, destination);
    }

    internal static void DequantizeScalar(ReadOnlySpan<TQ1_0> blocks, Span<float> destination)
    {
        for (int b = 0; b < blocks.Length; b++)
        {
            float scale = (float)blocks[b].Scale;
            ReadOnlySpan<byte> quants = blocks[b].Quants, rest = blocks[b].Rest;
            Span<float> values = destination.Slice(b * 256, 256);
            for (int i = 0; i < 256; i++) values[i] = (Trit(quants, rest, i) - 1) * scale;
        }
    }

    public static void Quantize(ReadOnlySpan<float> source, Span<TQ1_0> blocks)
    {
        if (InstructionSets.HasAvx2) QuantizeAvx2(source, blocks);
        else QuantizeScalar(source, blocks);
    }

    internal static void QuantizeScalar(ReadOnlySpan<float> source, Span<TQ1_0> blocks)
    {
        Span<byte> trits = stackalloc byte[256];
        for (int b = 0; b < blocks.Length; b++)
        {
            ref TQ1_0 block = ref blocks[b];
            block.Scale = (Half)Trits.Round(source.Slice(b * 256, 256), trits);
            for (int j = 0; j < 32; j++) block.Quants[j] = Trits.Pack(trits, first: j, stride: 32, count: 5);
            for (int j = 0; j < 16; j++) block.Quants[32 + j] = Trits.Pack(trits, first: 160 + j, stride: 16, count: 5);
            for (int j = 0; j < 4; j++) block.Rest[j] = Trits.Pack(trits, first: 240 + j, stride: 4, count: 4);
        }
    }

    public static void Quantize(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<TQ1_0> blocks) => Quantize(source, blocks);

    public static float Dot(ReadOnlySpan<TQ1_0> weights, ReadOnlySpan<Q8_K> activations) =>
        InstructionSets.HasAvx2 ? DotAvx2(weights, activations) : InstructionSets.HasNeon ? NeonLevels.Dot(weights, activations) : DotScalar(weights, activations);

    internal static float DotScalar(ReadOnlySpan<TQ1_0> weights, ReadOnlySpan<Q8_K> activations)
    {
        float total = 0;
        for (int b = 0; b < weights.Length; b++)
        {
            ReadOnlySpan<byte> quants = weights[b].Quants, rest = weights[b].Rest;
            ReadOnlySpan<sbyte> x = activations[b].Quants;
            int products = 0;
            for (int i = 0; i < 256; i++) products += (Trit(quants, rest, i) - 1) * x[i];
            total += products * ((float)weights[b].Scale * activations[b].Scale);
        }
        return total;
    }
}
