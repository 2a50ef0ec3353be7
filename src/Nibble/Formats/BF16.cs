using System.Runtime.InteropServices;

namespace Nibble.Formats;

/// <summary>The upper half of a single-precision number: its range with 8 bits of precision ("bfloat16").</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public partial struct BF16 : IWeightBlock<BF16, F32>
{
    public ushort Bits;

    public static string Name => "BF16";
    public static int GgufType => 30;
    public static int BlockSize => 1;

    private readonly float Value => BitConverter.UInt32BitsToSingle((uint)Bits << 16);

    public static void Dequantize(ReadOnlySpan<BF16> blocks, Span<float> destination)
    {
        destination = destination[..blocks.Length];
        int i = InstructionSets.HasAvx2 ? DequantizeAvx2(blocks, destination) : InstructionSets.HasNeon ? NeonHalves.Dequantize(blocks, destination) : 0;
        for (; i < blocks.Length; i++) destination[i] = blocks[i].Value;
    }

    public static void Quantize(ReadOnlySpan<float> source, Span<BF16> blocks)
    {
        blocks = blocks[..source.Length];
        for (int i = InstructionSets.HasAvx2 ? QuantizeAvx2(source, blocks) : InstructionSets.HasNeon ? QuantizeNeon(source, blocks) : 0; i < source.Length; i++)
        {
            uint bits = BitConverter.SingleToUInt32Bits(source[i]);
            bool isNaN = (bits & 0x7fff_ffff) > 0x7f80_0000;
            // Round to nearest, ties to even; a NaN is made quiet instead, for rounding could turn it into an infinity.
            blocks[i].Bits = isNaN ? (ushort)(bits >> 16 | 0x40) : (ushort)(bits + (0x7fff + (bits >> 16 & 1)) >> 16);
        }
    }

    public static void Quantize(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<BF16> blocks) => Quantize(source, blocks);

    public static float Dot(ReadOnlySpan<BF16> weights, ReadOnlySpan<F32> activations) =>
        InstructionSets.HasAvx2 ? DotAvx2(weights, activations) : InstructionSets.HasNeon ? DotNeon(weights, activations) : DotScalar(weights, activations);

    internal static float DotScalar(ReadOnlySpan<BF16> weights, ReadOnlySpan<F32> activations)
    {
        float total = 0;
        for (int i = 0; i < weights.Length; i++) total += weights[i].Value * activations[i].Value;
        return total;
    }
}
