using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace Nibble.Formats;

/// <summary>One IEEE 754 half-precision number.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public partial struct F16 : IWeightBlock<F16, F32>
{
    public Half Value;

    public static string Name => "F16";
    public static int GgufType => 1;
    public static int BlockSize => 1;

    public static void Dequantize(ReadOnlySpan<F16> blocks, Span<float> destination)
    {
        destination = destination[..blocks.Length];
        int i = InstructionSets.HasAvx2 ? DequantizeAvx2(blocks, destination) : InstructionSets.HasNeon ? NeonHalves.Dequantize(blocks, destination) : 0;
        for (; i < blocks.Length; i++) destination[i] = (float)blocks[i].Value;
    }

    public static void Quantize(ReadOnlySpan<float> source, Span<F16> blocks) =>
        TensorPrimitives.ConvertToHalf(source, MemoryMarshal.Cast<F16, Half>(blocks));

    public static void Quantize(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<F16> blocks) => Quantize(source, blocks);

    public static float Dot(ReadOnlySpan<F16> weights, ReadOnlySpan<F32> activations) =>
        InstructionSets.HasAvx2 ? DotAvx2(weights, activations) : InstructionSets.HasNeon ? DotNeon(weights, activations) : DotScalar(weights, activations);

    internal static float DotScalar(ReadOnlySpan<F16> weights, ReadOnlySpan<F32> activations)
    {
        float total = 0;
        for (int i = 0; i < weights.Length; i++) total += (float)weights[i].Value * activations[i].Value;
        return total;
    }
}
