using System.Runtime.InteropServices;

namespace Nibble.Formats;

/// <summary>One IEEE 754 half-precision number.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct F16 : IWeightBlock<F16, F32>
{
    public Half Value;

    public static string Name => "F16";
    public static int GgufType => 1;
    public static int BlockSize => 1;

    public static void Dequantize(ReadOnlySpan<F16> blocks, Span<float> destination)
    {
        for (int i = 0; i < blocks.Length; i++) destination[i] = (float)blocks[i].Value;
    }

    public static void Quantize(ReadOnlySpan<float> source, Span<F16> blocks)
    {
        for (int i = 0; i < source.Length; i++) blocks[i].Value = (Half)source[i];
    }

    public static void Quantize(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<F16> blocks) => Quantize(source, blocks);

    public static float Dot(ReadOnlySpan<F16> weights, ReadOnlySpan<F32> activations)
    {
        float sum = 0;
        for (int i = 0; i < weights.Length; i++) sum += (float)weights[i].Value * activations[i].Value;
        return sum;
    }
}
