using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Nibble.Formats;

/// <summary>The scales of four groups.</summary>
[InlineArray(4)]
public struct UE4M3x4
{
    private UE4M3 _first;
}

/// <summary>
/// 64 weights as floating-point numbers of 4 bits in four groups of 16, each with a scale of 8 bits:
/// w = Scale[group] / 2 * doubled[q].
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public partial struct NVFP4 : IWeightBlock<NVFP4, Q8_0>
{
    public UE4M3x4 Scales;  // d
    public Byte32 Quants;   // qs: of each group, weight j in the low nibble of byte j, weight j + 8 in the high one

    public static string Name => "NVFP4";
    public static int GgufType => 40;
    public static int BlockSize => 64;

    public static void Dequantize(ReadOnlySpan<NVFP4> blocks, Span<float> destination)
    {
        if (InstructionSets.HasVectors) LevelValues.Dequantize(blocks, destination);
        else DequantizeScalar(blocks, destination);
    }

    internal static void DequantizeScalar(ReadOnlySpan<NVFP4> blocks, Span<float> destination)
    {
        for (int b = 0; b < blocks.Length; b++)
        {
            for (int g = 0; g < 4; g++)
            {
                float scale = blocks[b].Scales[g].Half;
                ReadOnlySpan<byte> quants = blocks[b].Quants[(g * 8)..(g * 8 + 8)];
                Span<float> values = destination.Slice(b * 64 + g * 16, 16);
                for (int j = 0; j < 8; j++)
                {
                    values[j] = FourBitFloats.Doubled[quants[j] & 15] * scale;
                    values[j + 8] = FourBitFloats.Doubled[quants[j] >> 4] * scale;
                }
            }
        }
    }

    public static void Quantize(ReadOnlySpan<float> source, Span<NVFP4> blocks)
    {
        if (InstructionSets.HasAvx2) QuantizeAvx2(source, blocks);
        else QuantizeScalar(source, blocks);
    }

    internal static void QuantizeScalar(ReadOnlySpan<float> source, Span<NVFP4> blocks)
    {
        Span<byte> quants = stackalloc byte[64];
        for (int b = 0; b < blocks.Length; b++)
        {
            for (int g = 0; g < 4; g++)
            {
                ReadOnlySpan<float> values = source.Slice(b * 64 + g * 16, 16);
                UE4M3 scale = UE4M3.Round(MathF.Abs(ScaleSearch.Extreme(values)) / 6);
                blocks[b].Scales[g] = scale;
                FourBitFloats.Round(values, scale.Half, quants.Slice(g * 16, 16));
            }
            Nibbles.Pack(quants, half: 8, blocks[b].Quants);
        }
    }

    public static void Quantize(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<NVFP4> blocks) => Quantize(source, blocks);

    public static float Dot(ReadOnlySpan<NVFP4> weights, ReadOnlySpan<Q8_0> activations) =>
        InstructionSets.HasAvx2 ? DotAvx2(weights, activations) : InstructionSets.HasNeon ? NeonLevels.Dot(weights, activations) : DotScalar(weights, activations);

    internal static float DotScalar(ReadOnlySpan<NVFP4> weights, ReadOnlySpan<Q8_0> activations)
    {
        float total = 0;
        for (int g = 0; g < weights.Length * 4; g++)
        {
            ref readonly NVFP4 w = ref weights[g / 4];
            ReadOnlySpan<byte> quants = w.Quants[(g % 4 * 8)..(g % 4 * 8 + 8)];
            ReadOnlySpan<sbyte> x = activations[g / 2].Quants[(g % 2 * 16)..(g % 2 * 16 + 16)];
            int products = 0;
            for (int j = 0; j < 8; j++) products += FourBitFloats.Doubled[quants[j] & 15] * x[j] + FourBitFloats.Doubled[quants[j] >> 4] * x[j + 8];
            total += products * (w.Scales[g % 4].Half * (float)activations[g / 2].Scale);
        }
        return total;
    }
}
