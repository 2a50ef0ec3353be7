using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace Nibble.Formats;

/// <summary>One IEEE 754 single-precision number.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct F32 : IWeightBlock<F32, F32>
{
    public float Value;

    public static string Name => "F32";
    public static int GgufType => 0;
    public static int BlockSize => 1;

    public static void Dequantize(ReadOnlySpan<F32> blocks, Span<float> destination) =>
        MemoryMarshal.Cast<F32, float>(blocks).CopyTo(destination);

    public static void Quantize(ReadOnlySpan<float> source, Span<F32> blocks) =>
        source.CopyTo(MemoryMarshal.Cast<F32, float>(blocks));

    public static void Quantize(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<F32> blocks) => Quantize(source, blocks);

    public static float Dot(ReadOnlySpan<F32> weights, ReadOnlySpan<F32> activations) =>
        TensorPrimitives.Dot(MemoryMarshal.Cast<F32, float>(weights), MemoryMarshal.Cast<F32, float>(activations));

    internal static float DotScalar(ReadOnlySpan<F32> weights, ReadOnlySpan<F32> activations)
    {
        float total = 0;
        for (int i = 0; i < weights.Length; i++) total += weights[i].Value * activations[i].Value;
        return total;
    }
}
