using Nibble.Formats;

namespace Nibble.Tests.Formats;

public sealed class CodebookFitTests
{
    private const int Size = 16, Steps = 9;
    private const float Step = 0.1f;

    /// <summary>The search written value by value and candidate by candidate, as llama.cpp's quantizers go about it.</summary>
    [Fact]
    public void Search_finds_what_one_candidate_after_the_other_finds()
    {
        Codebook book = Codebooks.IQ2_S;
        CodebookFit fit = new(book, Size, Steps, Step, Refit.OffBook);
        Random random = new(8);
        float[] values = new float[Size], weights = new float[Size];
        for (int round = 0; round < 3000; round++)
        {
            for (int i = 0; i < Size; i++)
            {
                values[i] = round % 4 == 0 ? random.Next(-3, 4) : random.NextSingle() * random.NextSingle() - 0.3f;
                weights[i] = round % 5 == 0 ? random.Next(3) : random.NextSingle();
            }
            weights.CopyTo(fit.Weights);
            bool evenSigns = round % 2 == 0;
            float largest = fit.Start(values, evenSigns);
            float[] magnitudes = Magnitudes(values, weights, evenSigns, out uint signs);
            Assert.Equal(magnitudes, fit.Magnitudes.ToArray());
            Assert.Equal(signs, fit.Signs);
            Assert.Equal(magnitudes.Max(), largest);
            if (largest < ScaleSearch.Negligible) continue;
            float expected = Search(book, magnitudes, weights, largest, largest / 5, out int[] chosen);
            Assert.Equal(MathF.Abs(expected), fit.Search(largest, largest / 5));
            Assert.Equal(expected < 0 ? ~signs : signs, fit.Signs);
            for (int point = 0; point < chosen.Length; point++) Assert.Equal(book.IndexOf(chosen[point]), fit.Index(point));
        }
    }

    private static float[] Magnitudes(float[] values, float[] weights, bool evenSigns, out uint signs)
    {
        signs = 0;
        float[] magnitudes = [.. values.Select(MathF.Abs)];
        for (int i = 0; i < Size; i++) signs |= values[i] < 0 ? 1u << i : 0;
        for (int start = 0; evenSigns && start < Size; start += 8)
        {
            if (uint.PopCount(signs >> start & 255) % 2 == 0) continue;
            int least = Enumerable.Range(start, 8).MinBy(i => weights[i] * values[i] * values[i]);
            magnitudes[least] = -magnitudes[least];
            signs ^= 1u << least;
        }
        return magnitudes;
    }

    private static float Search(Codebook book, float[] magnitudes, float[] weights, float largest, float scale, out int[] chosen)
    {
        chosen = new int[Size / book.Dimensions];
        bool[] isOffBook = new bool[chosen.Length];
        int top = 2 * book.Levels - 1;
        float best = 0;
        for (int candidate = -Steps; candidate <= Steps; candidate++)
        {
            float inverse = (top + candidate * Step) / largest;
            int[] rounded = Round(book, magnitudes, inverse), codes = [.. rounded.Select((code, point) => InBook(book, code, point, magnitudes, weights, 1 / inverse))];
            (float valueLevel, float levelLevel) = Sums(book, codes, magnitudes, weights);
            if (!(levelLevel > 0 && valueLevel * valueLevel > best * levelLevel)) continue;
            scale = valueLevel / levelLevel;
            best = scale * valueLevel;
            chosen = codes;
            isOffBook = [.. rounded.Select(code => book.IndexOf(code) < 0)];
        }
        if (scale > 0 && isOffBook.Contains(true))
        {
            int[] rounded = Round(book, magnitudes, 1 / scale);
            for (int point = 0; point < chosen.Length; point++)
                if (isOffBook[point]) chosen[point] = InBook(book, rounded[point], point, magnitudes, weights, scale);
            (float valueLevel, float levelLevel) = Sums(book, chosen, magnitudes, weights);
            if (levelLevel > 0) scale = valueLevel / levelLevel;
        }
        return scale;
    }

    private static int[] Round(Codebook book, float[] magnitudes, float inverse)
    {
        int[] codes = new int[Size / book.Dimensions];
        for (int i = 0; i < Size; i++)
            codes[i / book.Dimensions] |= Math.Clamp(Rounding.ToEven(0.5f * (inverse * magnitudes[i] - 1)), 0, book.Levels - 1) << i % book.Dimensions * book.Bits;
        return codes;
    }

    private static int InBook(Codebook book, int code, int point, float[] magnitudes, float[] weights, float scale)
    {
        int nearest = code;
        float least = float.MaxValue;
        foreach (int neighbour in book.NeighboursOf(code))
        {
            float sum = 0;
            for (int i = 0; i < book.Dimensions; i++)
            {
                float difference = scale * (2 * book.Coordinate(neighbour, i) + 1) - magnitudes[point * book.Dimensions + i];
                sum += MathF.Sqrt(weights[point * book.Dimensions + i]) * difference * difference;
            }
            if (sum < least) (nearest, least) = (neighbour, sum);
        }
        return nearest;
    }

    private static (float ValueLevel, float LevelLevel) Sums(Codebook book, int[] codes, float[] magnitudes, float[] weights)
    {
        float valueLevel = 0, levelLevel = 0;
        for (int i = 0; i < Size; i++)
        {
            float level = 2 * book.Coordinate(codes[i / book.Dimensions], i % book.Dimensions) + 1;
            valueLevel += weights[i] * magnitudes[i] * level;
            levelLevel += weights[i] * level * level;
        }
        return (valueLevel, levelLevel);
    }
}
