using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Formats;

/// <summary>32 weights as signed bytes sharing one half-precision scale: w = Scale * q.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public partial struct Q8_0 : IWeightBlock<Q8_0, Q8_0>
{
    public Half Scale;
    public SByte32 Quants;

    public static string Name => "Q8_0";
    public static int GgufType => 8;
    public static int BlockSize => 32;

    public static void Dequantize(ReadOnlySpan<Q8_0> blocks, Span<float> destination)
    {
        for (int b = 0; b < blocks.Length; b++)
        {
            float scale = (float)blocks[b].Scale;
            for (int i = 0; i < 32; i++) destination[b * 32 + i] = scale * blocks[b].Quants[i];
        }
    }

    public static void Quantize(ReadOnlySpan<float> source, Span<Q8_0> blocks)
    {
        for (int b = 0; b < blocks.Length; b++)
        {
            ReadOnlySpan<float> x = source.Slice(b * 32, 32);
            float largest = 0;
            foreach (float v in x) largest = MathF.Max(largest, MathF.Abs(v));
            float scale = largest / 127;
            float inverse = scale != 0 ? 1 / scale : 0;
            blocks[b].Scale = (Half)scale;
            for (int i = 0; i < 32; i++) blocks[b].Quants[i] = (sbyte)MathF.Round(x[i] * inverse, MidpointRounding.AwayFromZero);
        }
    }

    public static void Quantize(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<Q8_0> blocks) => Quantize(source, blocks);

    public static float Dot(ReadOnlySpan<Q8_0> weights, ReadOnlySpan<Q8_0> activations) =>
        Avx2.IsSupported ? DotAvx2(weights, activations) : DotScalar(weights, activations);

    internal static float DotScalar(ReadOnlySpan<Q8_0> weights, ReadOnlySpan<Q8_0> activations)
    {
        float sum = 0;
        for (int b = 0; b < weights.Length; b++)
        {
            int products = 0;
            for (int i = 0; i < 32; i++) products += weights[b].Quants[i] * activations[b].Quants[i];
            sum += products * ((float)weights[b].Scale * (float)activations[b].Scale);
        }
        return sum;
    }
}
