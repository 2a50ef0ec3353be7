using Nibble.Generation;

namespace Nibble.Tests.Generation;

public class SamplerTests
{
    /// <summary>Everything off: plain draws from the softmax.</summary>
    private static readonly GenerationOptions s_plain = new() { Temperature = 1, TopK = 0, TopP = 1, MinP = 0, Seed = 11 };

    private static readonly float[] s_scores = [0.5f, 3, -2, 2.9f, 1, 0, 2.2f, -7];

    [Fact]
    public void Greedy_takes_the_highest_and_the_lower_id_of_equals()
    {
        Assert.Equal(1, new Sampler(new() { Temperature = 0 }).Sample(s_scores, []));
        Assert.Equal(2, new Sampler(new() { Temperature = 0 }).Sample([1, 2, 5, 5, 5], []));
        Assert.Equal(2, new Sampler(s_plain with { TopK = 1 }).Sample([1, 2, 5, 5, 5], []));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Scores_that_are_no_numbers_are_refused(float score)
    {
        foreach (float temperature in new[] { 0, 0.8f })
            Assert.Throws<NibbleException>(() => new Sampler(new() { Temperature = temperature }).Sample([1, score, 0.5f], []));
    }

    [Theory]
    [InlineData(0.01f)]
    [InlineData(1)]
    [InlineData(50)]
    public void Top_k_of_one_equals_greedy(float temperature) =>
        Assert.All(Draws(s_plain with { TopK = 1, Temperature = temperature }, 200), id => Assert.Equal(1, id));

    [Theory]
    [InlineData(1)]
    [InlineData(0.5f)]
    [InlineData(2)]
    public void Draws_follow_the_softmax(float temperature)
    {
        const int Count = 20_000;
        double[] weights = [.. s_scores.Select(s => Math.Exp(s / temperature))];
        CheckDistribution(Draws(s_plain with { Temperature = temperature }, Count), weights);
    }

    [Fact]
    public void Draws_from_a_cut_distribution_follow_it_at_the_temperature()
    {
        // The three highest, then temperature.
        double[] weights = new double[s_scores.Length];
        foreach (int id in new[] { 1, 3, 6 }) weights[id] = Math.Exp(s_scores[id] / 1.5);
        CheckDistribution(Draws(s_plain with { TopK = 3, Temperature = 1.5f }, 20_000), weights);
    }

    [Theory]
    [InlineData(0.3f, 1)] // .376
    [InlineData(0.4f, 2)] // .376 + .341
    [InlineData(0.70f, 2)]
    [InlineData(0.75f, 3)] // + .169
    [InlineData(0.90f, 4)] // + .051
    [InlineData(1, 8)]
    public void Top_p_keeps_the_fewest_that_reach_it(float topP, int kept)
    {
        double[] sorted = [.. s_scores.Select(s => Math.Exp(s)).OrderDescending()];
        int expected = 1 + Enumerable.Range(1, 8).Count(n => n < 8 && sorted.Take(n).Sum() / sorted.Sum() < topP);
        Assert.Equal(kept, expected);
        // A high temperature makes every kept one appear; probabilities before it decide what is kept.
        Assert.Equal(kept, Draws(s_plain with { TopP = topP, Temperature = 100 }, 2000).Distinct().Count());
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(0.9f, 2)]  // e^-0.1 = .905
    [InlineData(0.44f, 3)] // e^-0.8 = .449
    [InlineData(0.13f, 4)] // e^-2 = .135
    [InlineData(0, 8)]
    public void Min_p_keeps_what_is_likely_enough_beside_the_likeliest(float minP, int kept) =>
        Assert.Equal(kept, Draws(s_plain with { MinP = minP, Temperature = 100 }, 2000).Distinct().Count());

    [Fact]
    public void Without_limits_even_the_unlikeliest_remains()
    {
        // 50,000 equal scores: their probabilities as single-precision numbers need not sum to 1.
        float[] scores = new float[50_000];
        Sampler sampler = new(s_plain);
        int highest = Enumerable.Range(0, 400).Max(_ => sampler.Sample(scores, []));
        Assert.True(highest > 49_000, $"{highest}");
    }

    [Fact]
    public void The_penalty_divides_positive_and_multiplies_negative_scores_once()
    {
        float[] scores = [4, 3.9f, -1, -1.1f];
        GenerationOptions options = new() { Temperature = 0, RepeatPenalty = 1.5f };
        Assert.Equal(1, new Sampler(options).Sample(scores, [0, 0, 0]));
        Assert.Equal(0, new Sampler(options).Sample(scores, [0, 1, 0])); // 2.67 and 2.6, not again and again
        Assert.Equal(3, new Sampler(options).Sample([-9, -9, -1, -1.1f], [2]));
        Assert.Equal([4, 3.9f, -1, -1.1f], scores);
    }

    [Fact]
    public void The_penalty_looks_back_so_far()
    {
        float[] scores = [4, 3.9f, 1];
        GenerationOptions options = new() { Temperature = 0, RepeatPenalty = 2, RepeatLastN = 2 };
        Assert.Equal(1, new Sampler(options).Sample(scores, [0, 2]));
        Assert.Equal(0, new Sampler(options).Sample(scores, [0, 2, 2]));
        Assert.Equal(1, new Sampler(options with { RepeatLastN = -1 }).Sample(scores, [0, 2, 2]));
        Assert.Equal(0, new Sampler(options with { RepeatLastN = 0 }).Sample(scores, [0, 0]));
    }

    [Fact]
    public void The_same_seed_draws_the_same()
    {
        Assert.Equal(Draws(s_plain, 300), Draws(s_plain, 300));
        Assert.NotEqual(Draws(s_plain, 300), Draws(s_plain with { Seed = 12 }, 300));
        Assert.NotEqual(Draws(s_plain with { Seed = null }, 300), Draws(s_plain with { Seed = null }, 300));
    }

    public static TheoryData<GenerationOptions, string> Wrong => new()
    {
        { new() { Temperature = -0.1f }, "temperature" },
        { new() { Temperature = float.NaN }, "temperature" },
        { new() { TopK = -1 }, "top-k" },
        { new() { TopP = 0 }, "top-p" },
        { new() { TopP = 1.01f }, "top-p" },
        { new() { TopP = float.NaN }, "top-p" },
        { new() { MinP = -0.5f }, "min-p" },
        { new() { MinP = 2 }, "min-p" },
        { new() { RepeatPenalty = 0 }, "repeat penalty" },
        { new() { RepeatLastN = -2 }, "repeat last n" },
        { new() { MaxTokens = -1 }, "-n" },
    };

    [Theory]
    [MemberData(nameof(Wrong), DisableDiscoveryEnumeration = true)]
    public void Options_without_sense_are_named(GenerationOptions options, string name) =>
        Assert.Contains(name, Assert.Throws<NibbleException>(() => new Sampler(options)).Message, StringComparison.Ordinal);

    private static int[] Draws(GenerationOptions options, int count)
    {
        Sampler sampler = new(options);
        return [.. Enumerable.Range(0, count).Select(_ => sampler.Sample(s_scores, []))];
    }

    /// <summary>Pearson's test; the seed is fixed, so the bound (less than 1 in 10,000 for 7 degrees of freedom) holds always or never.</summary>
    private static void CheckDistribution(int[] draws, double[] weights)
    {
        double total = weights.Sum(), statistic = 0;
        for (int id = 0; id < weights.Length; id++)
        {
            double expected = draws.Length * weights[id] / total;
            int seen = draws.Count(d => d == id);
            if (expected == 0) Assert.Equal(0, seen);
            else statistic += (seen - expected) * (seen - expected) / expected;
        }
        Assert.True(statistic < 30, $"chi-square {statistic}");
    }
}
