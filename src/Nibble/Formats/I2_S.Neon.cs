using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct I2_S
{
    private static float DotNeon(ReadOnlySpan<I2_S> weights, ReadOnlySpan<Q8_0> activations, in I2_STail tail)
    {
        activations = activations[..(4 * weights.Length)];
        Vector128<byte> low = Vector128.Create((byte)3);
        float total = 0;
        for (int b = 0; b < weights.Length; b++)
        {
            Vector128<byte> first = Vector128.LoadUnsafe(in weights[b].Quants[0]), second = Vector128.LoadUnsafe(in weights[b].Quants[16]);
            for (int run = 0; run < 4; run++)
            {
                // The first run is in the highest bits of each byte.
                ref readonly sbyte x = ref activations[4 * b + run].Quants[0];
                Vector128<int> products = NeonProducts.Add(default, ((first >> 6 - 2 * run) & low).AsSByte() - Vector128<sbyte>.One, Vector128.LoadUnsafe(in x));
                products = NeonProducts.Add(products, ((second >> 6 - 2 * run) & low).AsSByte() - Vector128<sbyte>.One, Vector128.LoadUnsafe(in x, 16));
                total += HalfScale.ToSingle(activations[4 * b + run].Scale) * Vector128.Sum(products);
            }
        }
        return total * tail.Scale;
    }
}
