using Nibble.Formats;

namespace Nibble.Tests.Formats;

public sealed class TernaryFitTests
{
    private const float Shift = 0.125f;

    /// <summary>The search that goes from one improvement to the next, over all cuts of the sorted values.</summary>
    [Fact]
    public void SearchOneShift_finds_what_one_cut_after_the_other_finds()
    {
        const int size = 32;
        TernaryFit fit = new(size);
        Random random = new(9);
        for (int round = 0; round < 2000; round++)
        {
            (float[] values, float[] weights) = Group(random, size, round);
            weights.CopyTo(fit.Weights);
            int[] order = [.. Enumerable.Range(0, size).OrderBy(i => values[i])]; // which keeps the order of equals
            float[] sums = new float[size + 1], sumsOfWeights = new float[size + 1];
            for (int j = 0; j < size; j++)
            {
                sums[j + 1] = sums[j] + weights[order[j]] * values[order[j]];
                sumsOfWeights[j + 1] = sumsOfWeights[j] + weights[order[j]];
            }
            float best = float.MinValue, scale = 0;
            (int First, int Second, bool IsDown) chosen = (-1, -1, false);
            for (int first = 0; first <= size; first++)
            {
                for (int second = first; second <= size; second++)
                {
                    foreach (bool isDown in (bool[])[false, true])
                    {
                        float shift = isDown ? -Shift : Shift, low = -1 + shift, high = 1 + shift;
                        float valueLevel = sums[first] * low + (sums[second] - sums[first]) * shift + (sums[size] - sums[second]) * high;
                        float levelLevel = sumsOfWeights[first] * low * low + (sumsOfWeights[second] - sumsOfWeights[first]) * shift * shift
                            + (sumsOfWeights[size] - sumsOfWeights[second]) * high * high;
                        if (!(levelLevel > 0 && valueLevel * valueLevel > best * levelLevel)) continue;
                        scale = valueLevel / levelLevel;
                        best = scale * valueLevel;
                        chosen = (first, second, isDown);
                    }
                }
            }
            float found = fit.SearchOneShift(values, out bool foundDown);
            if (chosen.First < 0)
            {
                Assert.Equal(-1, found);
                continue;
            }
            Assert.Equal(chosen.IsDown ^ scale < 0, foundDown);
            AssertPoints(fit, order, chosen.First, chosen.Second, isMirrored: scale < 0, MathF.Abs(scale), found);
        }
    }

    /// <summary>Points that are in the book are those of the cut, and then the scale is the cut's too.</summary>
    private static void AssertPoints(TernaryFit fit, int[] order, int first, int second, bool isMirrored, float scale, float found)
    {
        int[] codes = new int[order.Length / 8];
        for (int j = 0; j < order.Length; j++)
        {
            int coordinate = j < first ? 0 : j < second ? 1 : 2;
            codes[order[j] / 8] |= (isMirrored ? 2 - coordinate : coordinate) << order[j] % 8 * 2;
        }
        for (int point = 0; point < codes.Length; point++)
            if (Codebooks.IQ1.IndexOf(codes[point]) >= 0) Assert.Equal(Codebooks.IQ1.IndexOf(codes[point]), fit.Index(point));
        if (codes.All(code => Codebooks.IQ1.IndexOf(code) >= 0)) Assert.Equal(scale, found);
    }

    /// <summary>Among them groups of which many cuts are equally good: few different values, weights of zero.</summary>
    private static (float[] Values, float[] Weights) Group(Random random, int size, int round)
    {
        float[] values = new float[size], weights = new float[size];
        for (int i = 0; i < size; i++)
        {
            values[i] = (round % 5) switch { 0 => random.Next(-1, 2), 1 => random.Next(-4, 5) * 0.1f, 2 => 0.25f, _ => random.NextSingle() * random.NextSingle() - 0.3f };
            weights[i] = (round % 3) switch { 0 => random.Next(2), 1 => 1, _ => random.NextSingle() };
        }
        return (values, weights);
    }
}
