using Nibble.Kernels;

namespace Nibble.Tests.Kernels;

public class ScoreSumsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(16)]
    [InlineData(61)]
    [InlineData(1024)]
    [InlineData(4099)]
    [InlineData(151_936)]
    public void Sums_are_those_of_double_precision(int count)
    {
        Random random = new(count);
        float[] b = [.. Enumerable.Range(0, count).Select(_ => 12 * random.NextSingle() - 6)], v = [.. b.Select(x => x + 0.2f * random.NextSingle())];
        float highestB = b.Max(), highestV = v.Max();
        double sumB = b.Sum(x => Math.Exp(x - (double)highestB)), sumV = v.Sum(x => Math.Exp(x - (double)highestV)), divergence = 0;
        for (int i = 0; i < count; i++)
        {
            double p = Math.Exp(b[i] - (double)highestB) / sumB, q = Math.Exp(v[i] - (double)highestV) / sumV;
            divergence += p * Math.Log(p / q);
        }
        Assert.Equal(1, ScoreSums.Exponentials(b, highestB) / sumB, 1e-6);
        PairSums sums = ScoreSums.Pair(b, highestB, v, highestV);
        Assert.Equal(1, sums.OfB / sumB, 1e-6);
        Assert.Equal(1, sums.OfV / sumV, 1e-6);
        Assert.Equal(divergence, sums.Divergence, 1e-6);
    }

    [Fact]
    public void No_numbers_stay_none()
    {
        float[] scores = new float[100], sound = new float[100];
        scores[50] = float.NaN;
        Assert.True(double.IsNaN(ScoreSums.Exponentials(scores, float.NaN)));
        Assert.False(double.IsFinite(ScoreSums.Pair(sound, 0, scores, float.NaN).Divergence));
        Assert.False(double.IsFinite(ScoreSums.Pair(scores, float.NaN, sound, 0).Divergence));
    }
}
