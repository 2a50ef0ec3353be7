using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct K4_CB
{
    private static float DotNeon(ReadOnlySpan<K4_CB> weights, ReadOnlySpan<Q8_K> activations, in SByte16 tail)
    {
        activations = activations[..weights.Length];
        Vector128<byte> levels = Vector128.LoadUnsafe(in tail[0]).AsByte(), low = Vector128.Create((byte)15);
        float total = 0;
        for (int b = 0; b < weights.Length; b++)
        {
            ref readonly byte quants = ref weights[b].Quants[0];
            ref readonly sbyte x = ref activations[b].Quants[0];
            Vector128<int> products = Vector128<int>.Zero;
            for (int start = 0; start < 128; start += 16)
            {
                Vector128<byte> packed = Vector128.LoadUnsafe(in quants, (nuint)start);
                // 32 bytes hold 64 weights: the first half of them in the low nibbles.
                nuint first = (nuint)(start / 32 * 64 + start % 32);
                products = NeonProducts.Add(products, Vector128.Shuffle(levels, packed & low).AsSByte(), Vector128.LoadUnsafe(in x, first));
                products = NeonProducts.Add(products, Vector128.Shuffle(levels, packed >> 4).AsSByte(), Vector128.LoadUnsafe(in x, first + 32));
            }
            total += HalfScale.ToSingle(weights[b].Scale) * activations[b].Scale * Vector128.Sum(products);
        }
        return total;
    }
}
