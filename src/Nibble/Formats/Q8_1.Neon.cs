using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct Q8_1
{
    private static void QuantizeNeon(ReadOnlySpan<float> source, Span<Q8_1> blocks)
    {
        for (int b = 0; b < blocks.Length; b++)
        {
            ReadOnlySpan<float> values = source.Slice(b * 32, 32);
            float scale = NeonActivations.LargestMagnitude(values) / 127;
            float inverse = scale != 0 ? 1 / scale : 0;
            int sum = 0;
            for (int i = 0; i < 32; i += 16)
            {
                Vector128<sbyte> quants = NeonActivations.RoundAwayFromZero(in values[i], inverse);
                quants.StoreUnsafe(ref blocks[b].Quants[i]);
                sum += NeonActivations.Sum(quants);
            }
            blocks[b].Scale = (Half)scale;
            blocks[b].Sum = (Half)(sum * scale);
        }
    }
}
