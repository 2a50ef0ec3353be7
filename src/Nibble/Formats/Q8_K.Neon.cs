using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct Q8_K
{
    private static void QuantizeNeon(ReadOnlySpan<float> source, Span<Q8_K> blocks)
    {
        for (int b = 0; b < blocks.Length; b++)
        {
            ReadOnlySpan<float> values = source.Slice(b * 256, 256);
            float largest = NeonActivations.LargestMagnitude(values);
            if (largest == 0)
            {
                blocks[b] = default;
                continue;
            }
            float inverse = -127 / values[values.IndexOfAny(largest, -largest)];
            for (int j = 0; j < 16; j++)
            {
                Vector128<sbyte> quants = NeonActivations.RoundToEven(in values[j * 16], inverse);
                quants.StoreUnsafe(ref blocks[b].Quants[j * 16]);
                blocks[b].Sums[j] = (short)NeonActivations.Sum(quants);
            }
            blocks[b].Scale = 1 / inverse;
        }
    }
}
