using System.Numerics;
using System.Runtime.Intrinsics;

namespace Nibble.Kernels;

/// <summary>
/// Turns heads by a normalized Walsh-Hadamard matrix, which spreads a value that stands out over all others, so that blocks of few bits
/// hold them better (QuaRot, Ashkboos et al. 2024, arXiv:2404.00456). The matrix is orthogonal and symmetric: products of two turned heads
/// are those of the heads, and turning twice changes nothing.
/// </summary>
internal static class Hadamard
{
    /// <summary>Values that are turned together: the largest power of two that divides a head.</summary>
    public static int BlockOf(int headSize) => 1 << BitOperations.TrailingZeroCount(headSize);

    /// <summary>Turns heads of <paramref name="headSize"/> values each, in place.</summary>
    public static void Rotate(Span<float> heads, int headSize)
    {
        int block = BlockOf(headSize);
        float scale = 1 / MathF.Sqrt(block);
        for (int start = 0; start < heads.Length; start += block)
        {
            Span<float> values = heads.Slice(start, block);
            if (block >= Vector256<float>.Count) RotateVectors(values, scale);
            else RotateScalar(values, scale);
        }
    }

    /// <summary>Sums and differences of values 1, 2, 4, … apart.</summary>
    internal static void RotateScalar(Span<float> values, float scale)
    {
        for (int distance = 1; distance < values.Length; distance *= 2)
        {
            for (int i = 0; i < values.Length; i++)
            {
                if ((i & distance) != 0) continue;
                (float a, float b) = (values[i], values[i + distance]);
                (values[i], values[i + distance]) = (a + b, a - b);
            }
        }
        foreach (ref float value in values) value *= scale;
    }

    private static void RotateVectors(Span<float> values, float scale)
    {
        const int Count = 8;
        for (int i = 0; i < values.Length; i += Count)
        {
            // Within a vector: each value plus or minus its partner, the signs being those of the values' own part.
            Vector256<float> v = Vector256.Create<float>(values[i..]);
            v = v * Vector256.Create(1f, -1, 1, -1, 1, -1, 1, -1) + Vector256.Shuffle(v, Vector256.Create(1, 0, 3, 2, 5, 4, 7, 6));
            v = v * Vector256.Create(1f, 1, -1, -1, 1, 1, -1, -1) + Vector256.Shuffle(v, Vector256.Create(2, 3, 0, 1, 6, 7, 4, 5));
            v = v * Vector256.Create(1f, 1, 1, 1, -1, -1, -1, -1) + Vector256.Shuffle(v, Vector256.Create(4, 5, 6, 7, 0, 1, 2, 3));
            (v * scale).CopyTo(values[i..]);
        }
        for (int distance = Count; distance < values.Length; distance *= 2)
        {
            for (int start = 0; start < values.Length; start += 2 * distance)
            {
                for (int i = start; i < start + distance; i += Count)
                {
                    Vector256<float> a = Vector256.Create<float>(values[i..]), b = Vector256.Create<float>(values[(i + distance)..]);
                    (a + b).CopyTo(values[i..]);
                    (a - b).CopyTo(values[(i + distance)..]);
                }
            }
        }
    }
}
