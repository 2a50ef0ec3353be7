using System.Runtime.InteropServices;

namespace Nibble.Formats;

/// <summary>
/// 32 activations as signed bytes sharing one half-precision scale, x = Scale * q, with their sum, by which formats that
/// have a minimum multiply it. Never stored in files.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public partial struct Q8_1 : IBlock<Q8_1>, IActivationBlock<Q8_1>
{
    public Half Scale;      // d
    public Half Sum;        // s = d * (q0 + … + q31)
    public SByte32 Quants;  // qs

    public static string Name => "Q8_1";
    public static int BlockSize => 32;

    static float IActivationBlock<Q8_1>.ScaleOf(in Q8_1 block) => (float)block.Scale;

    static ref readonly sbyte IActivationBlock<Q8_1>.NumbersOf(in Q8_1 block) => ref block.Quants[0];

    public static void Dequantize(ReadOnlySpan<Q8_1> blocks, Span<float> destination)
    {
        for (int b = 0; b < blocks.Length; b++)
        {
            float scale = (float)blocks[b].Scale;
            ReadOnlySpan<sbyte> quants = blocks[b].Quants;
            for (int i = 0; i < 32; i++) destination[b * 32 + i] = scale * quants[i];
        }
    }

    public static void Quantize(ReadOnlySpan<float> source, Span<Q8_1> blocks)
    {
        if (InstructionSets.HasAvx2) QuantizeAvx2(source, blocks);
        else if (InstructionSets.HasNeon) QuantizeNeon(source, blocks);
        else QuantizeScalar(source, blocks);
    }

    internal static void QuantizeScalar(ReadOnlySpan<float> source, Span<Q8_1> blocks)
    {
        for (int b = 0; b < blocks.Length; b++)
        {
            ReadOnlySpan<float> values = source.Slice(b * 32, 32);
            float scale = MathF.Abs(ScaleSearch.Extreme(values)) / 127;
            float inverse = scale != 0 ? 1 / scale : 0;
            Span<sbyte> quants = blocks[b].Quants;
            int sum = 0;
            for (int i = 0; i < 32; i++) sum += quants[i] = (sbyte)Rounding.AwayFromZero(values[i] * inverse);
            blocks[b].Scale = (Half)scale;
            blocks[b].Sum = (Half)(sum * scale);
        }
    }
}
