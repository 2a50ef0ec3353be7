using System.Numerics;
using Nibble.Kernels;

namespace Nibble.Tests.Kernels;

public class RopeTests
{
    [Theory]
    [InlineData(RopeStyle.Pairs)]
    [InlineData(RopeStyle.Halves)]
    public void A_pair_turns_like_a_complex_number(RopeStyle style)
    {
        const int HeadSize = 10, Turned = 6, Heads = 3, Position = 37;
        float[] frequencies = [1.0f, 0.25f, 0.003f];
        float[] values = [.. Enumerable.Range(0, Heads * HeadSize).Select(i => MathF.Sin(i * 1.7f))];
        float[] result = [.. values];
        new Rope(frequencies, style, magnitude: 1.25f).Apply(result, HeadSize, Position);
        for (int head = 0; head < Heads; head++)
        {
            for (int pair = 0; pair < Turned / 2; pair++)
            {
                int real = head * HeadSize + (style == RopeStyle.Pairs ? 2 * pair : pair), imaginary = real + (style == RopeStyle.Pairs ? 1 : Turned / 2);
                Complex expected = new Complex(values[real], values[imaginary]) * Complex.FromPolarCoordinates(1.25, Position * (double)frequencies[pair]);
                Assert.Equal(expected.Real, result[real], 1e-5);
                Assert.Equal(expected.Imaginary, result[imaginary], 1e-5);
            }
            Assert.Equal(values[(head * HeadSize + Turned)..((head + 1) * HeadSize)], result[(head * HeadSize + Turned)..((head + 1) * HeadSize)]);
        }
    }

    [Fact]
    public void Scores_depend_on_distance_alone()
    {
        Rope rope = new(RopeFrequencies.Plain(16, 10_000), RopeStyle.Halves);
        Assert.Equal(Score(3, 11), Score(40, 48), 1e-4);
        Assert.NotEqual(Score(3, 11), Score(3, 12), 1e-3);

        double Score(int first, int second)
        {
            float[] query = [.. Enumerable.Range(0, 16).Select(i => MathF.Cos(i))], key = [.. Enumerable.Range(0, 16).Select(i => MathF.Sin(3 * i + 1))];
            rope.Apply(query, 16, first);
            rope.Apply(key, 16, second);
            return query.Zip(key, (a, b) => (double)a * b).Sum();
        }
    }

    [Fact]
    public void Nothing_turns_at_the_first_position()
    {
        float[] values = [1, 2, 3, 4];
        new Rope(RopeFrequencies.Plain(4, 10_000), RopeStyle.Pairs).Apply(values, 4, 0);
        Assert.Equal([1, 2, 3, 4], values);
    }
}
