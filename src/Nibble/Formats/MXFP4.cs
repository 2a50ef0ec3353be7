using System.Runtime.InteropServices;

namespace Nibble.Formats;

/// <summary>
/// 32 weights as floating-point numbers of 4 bits sharing one power of two (OCP Microscaling Formats 1.0):
/// w = Scale / 2 * doubled[q].
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public partial struct MXFP4 : IWeightBlock<MXFP4, Q8_0>
{
    public E8M0 Scale;      // e
    public Byte16 Quants;   // qs: weight j in the low nibble of byte j, weight j + 16 in the high one

    public static string Name => "MXFP4";
    public static int GgufType => 39;
    public static int BlockSize => 32;

    public static void Dequantize(ReadOnlySpan<MXFP4> blocks, Span<float> destination)
    {
        if (InstructionSets.HasVectors) LevelValues.Dequantize(blocks, destination);
        else DequantizeScalar(blocks, destination);
    }

    internal static void DequantizeScalar(ReadOnlySpan<MXFP4> blocks, Span<float> destination)
    {
        for (int b = 0; b < blocks.Length; b++)
        {
            float scale = blocks[b].Scale.Half;
            ReadOnlySpan<byte> quants = blocks[b].Quants;
            Span<float> values = destination.Slice(b * 32, 32);
            for (int j = 0; j < 16; j++)
            {
                values[j] = FourBitFloats.Doubled[quants[j] & 15] * scale;
                values[j + 16] = FourBitFloats.Doubled[quants[j] >> 4] * scale;
            }
        }
    }

    public static void Quantize(ReadOnlySpan<float> source, Span<MXFP4> blocks)
    {
        if (InstructionSets.HasAvx2) QuantizeAvx2(source, blocks);
        else QuantizeScalar(source, blocks);
    }

    internal static void QuantizeScalar(ReadOnlySpan<float> source, Span<MXFP4> blocks)
    {
        Span<byte> quants = stackalloc byte[32];
        for (int b = 0; b < blocks.Length; b++)
        {
            ReadOnlySpan<float> values = source.Slice(b * 32, 32);
            blocks[b].Scale.Bits = ScaleFor(MathF.Abs(ScaleSearch.Extreme(values)));
            FourBitFloats.Round(values, blocks[b].Scale.Half, quants);
            Nibbles.Pack(quants, half: 16, blocks[b].Quants);
        }
    }

    private static byte ScaleFor(float largest)
    {
        // The largest lands between 4 and 8, of which 6 is the last that there is. The logarithm is rounded to single precision
        // before its fraction is dropped: numbers just below a power of two count as that power.
        float exponent = MathF.Floor((float)Math.Log2(largest)) - 2;
        return (byte)(largest > 0 ? Rounding.TowardZero(exponent + 127) : 0);
    }

    public static void Quantize(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<MXFP4> blocks) => Quantize(source, blocks);

    public static float Dot(ReadOnlySpan<MXFP4> weights, ReadOnlySpan<Q8_0> activations) =>
        InstructionSets.HasAvx2 ? DotAvx2(weights, activations) : InstructionSets.HasNeon ? NeonLevels.Dot(weights, activations) : DotScalar(weights, activations);

    internal static float DotScalar(ReadOnlySpan<MXFP4> weights, ReadOnlySpan<Q8_0> activations)
    {
        float total = 0;
        for (int b = 0; b < weights.Length; b++)
        {
            ReadOnlySpan<byte> quants = weights[b].Quants;
            ReadOnlySpan<sbyte> x = activations[b].Quants;
            int products = 0;
            for (int j = 0; j < 16; j++) products += FourBitFloats.Doubled[quants[j] & 15] * x[j] + FourBitFloats.Doubled[quants[j] >> 4] * x[j + 16];
            total += products * (weights[b].Scale.Half * (float)activations[b].Scale);
        }
        return total;
    }
}
