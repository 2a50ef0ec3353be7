using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct Q8_0
{
    private static void QuantizeNeon(ReadOnlySpan<float> source, Span<Q8_0> blocks)
    {
        for (int b = 0; b < blocks.Length; b++)
        {
            ReadOnlySpan<float> values = source.Slice(b * 32, 32);
            float scale = NeonActivations.LargestMagnitude(values) / 127;
            float inverse = scale != 0 ? 1 / scale : 0;
            for (int i = 0; i < 32; i += 16) NeonActivations.RoundAwayFromZero(in values[i], inverse).StoreUnsafe(ref blocks[b].Quants[i]);
            blocks[b].Scale = (Half)scale;
        }
    }
}
