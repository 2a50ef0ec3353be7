using System.Runtime.InteropServices;

namespace Nibble.Formats;

/// <summary>
/// 256 activations as signed bytes -127 … 127 sharing one single-precision scale, x = Scale * q, with the sums of each 16,
/// by which formats that have minimums or offsets multiply them. Never stored in files.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public partial struct Q8_K : IBlock<Q8_K>, IActivationBlock<Q8_K>
{
    public float Scale;      // d
    public SByte256 Quants;  // qs
    public Int16x16 Sums;    // bsums: of quants 16 * j … 16 * j + 15

    public static string Name => "Q8_K";
    public static int BlockSize => 256;

    static float IActivationBlock<Q8_K>.ScaleOf(in Q8_K block) => block.Scale;

    static ref readonly sbyte IActivationBlock<Q8_K>.NumbersOf(in Q8_K block) => ref block.Quants[0];

    public static void Dequantize(ReadOnlySpan<Q8_K> blocks, Span<float> destination)
    {
        for (int b = 0; b < blocks.Length; b++)
        {
            float scale = blocks[b].Scale;
            ReadOnlySpan<sbyte> quants = blocks[b].Quants;
            for (int i = 0; i < 256; i++) destination[b * 256 + i] = scale * quants[i];
        }
    }

    public static void Quantize(ReadOnlySpan<float> source, Span<Q8_K> blocks)
    {
        if (InstructionSets.HasAvx2) QuantizeAvx2(source, blocks);
        else if (InstructionSets.HasNeon) QuantizeNeon(source, blocks);
        else QuantizeScalar(source, blocks);
    }

    internal static void QuantizeScalar(ReadOnlySpan<float> source, Span<Q8_K> blocks)
    {
        for (int b = 0; b < blocks.Length; b++)
        {
            ReadOnlySpan<float> values = source.Slice(b * 256, 256);
            float extreme = ScaleSearch.Extreme(values);
            if (extreme == 0)
            {
                blocks[b] = default;
                continue;
            }
            float inverse = -127 / extreme;
            Span<sbyte> quants = blocks[b].Quants;
            for (int i = 0; i < 256; i++) quants[i] = (sbyte)Math.Min(127, Rounding.ToEven(inverse * values[i]));
            for (int j = 0; j < 16; j++)
            {
                int sum = 0;
                for (int i = 0; i < 16; i++) sum += quants[j * 16 + i];
                blocks[b].Sums[j] = (short)sum;
            }
            blocks[b].Scale = 1 / inverse;
        }
    }
}
