using Nibble.Evaluation.Comparison;
using Nibble.Evaluation.Statistics;

namespace Nibble.Tests.Evaluation.Comparison;

/// <summary>The rule on cases made by hand, whose right answer can be read off the numbers.</summary>
public sealed class RecommendationRuleTests
{
    private const int ManyWindows = 64;

    private static readonly RecommendationBounds s_bounds = new();
    private static readonly ComparedModel s_original = new("original", "original.gguf", "", 1000, 16, new(10, 0.1), null);

    [Theory]
    // Perplexity may rise by 3 %: the interval decides, 1.96 standard errors to either side.
    [InlineData(1.010, 0.001, 0.01, 0.001, Verdict.Within)]
    [InlineData(1.029, 0.0005, 0.01, 0.001, Verdict.Within)] // up to 1.02998
    [InlineData(1.029, 0.0006, 0.01, 0.001, Verdict.Undecided)] // up to 1.03018
    [InlineData(1.032, 0.0011, 0.01, 0.001, Verdict.Undecided)] // from 1.02984
    [InlineData(1.032, 0.0010, 0.01, 0.001, Verdict.Beyond)] // from 1.03004
    // KL divergence may be 0.05.
    [InlineData(1.000, 0.001, 0.049, 0.0004, Verdict.Within)]
    [InlineData(1.000, 0.001, 0.049, 0.0006, Verdict.Undecided)]
    [InlineData(1.000, 0.001, 0.052, 0.0010, Verdict.Beyond)]
    // One bound broken for sure is enough, though the other is kept.
    [InlineData(0.990, 0.001, 0.200, 0.0010, Verdict.Beyond)]
    [InlineData(1.200, 0.010, 0.010, 0.0010, Verdict.Beyond)]
    public void Intervals_decide(double ratio, double ratioError, double kld, double kldError, Verdict expected) =>
        Assert.Equal(expected, RecommendationRule.Judge(SampleReport.Divergence(ratio, ratioError, kld, kldError: kldError), [], s_bounds));

    [Fact]
    public void A_task_counts_when_its_whole_interval_is_lost()
    {
        DivergenceFigures good = SampleReport.Divergence(1.001, 0.001, 0.001);
        Assert.Equal(Verdict.Within, RecommendationRule.Judge(good, [Task(-0.05, -0.11, 0.01)], s_bounds)); // wide: nothing is known
        Assert.Equal(Verdict.Within, RecommendationRule.Judge(good, [Task(-0.015, -0.019, -0.011)], s_bounds)); // surely worse, by less than 2 points
        Assert.Equal(Verdict.Beyond, RecommendationRule.Judge(good, [Task(0, -0.01, 0.01), Task(-0.05, -0.07, -0.03, 0.001)], s_bounds));
    }

    [Fact]
    public void Few_items_that_fell_to_one_side_are_no_sure_loss()
    {
        double[] first = [.. Enumerable.Repeat(1.0, 20)], second = [.. Enumerable.Range(0, 20).Select(i => i < 4 ? 0.0 : 1)];
        PairedComparison paired = PairedComparison.OfAnswers(first, second);
        Assert.True(paired.Upper < -0.02);
        Assert.Equal(0.125, paired.PValue!.Value, 1e-12); // 2 / 2^4
        TaskDifference task = new("task", new(0.8, 0.09), paired.Difference, paired.Lower, paired.Upper, 4, 0, paired.PValue.Value);
        Assert.Equal(Verdict.Within, RecommendationRule.Judge(SampleReport.Divergence(1.001, 0.001, 0.001), [task], s_bounds));
    }

    [Fact]
    public void A_task_of_one_item_without_width_is_passed_over_in_silence()
    {
        VariantReport variant = Variant("Q4_K_M", 290, 1.011, 0.001, 0.02) with { Tasks = [Task(1, 1, 1, 1)] };
        Assert.All(Recommend(ManyWindows, variant).Reasons, Assert.NotEmpty);
    }

    [Fact]
    public void The_smallest_within_bounds_is_recommended_and_the_reason_tells_what_lies_below()
    {
        Recommendation advice = Recommend(ManyWindows, Variant("Q8_0", 530, 1.0002, 0.0002, 0.001), Variant("Q4_K_M", 290, 1.011, 0.001, 0.02), Variant("Q2_K", 200, 1.2, 0.005, 0.3));
        Assert.Equal(RecommendationKind.Recommended, advice.Kind);
        Assert.Equal("Q4_K_M", advice.Variant);
        Assert.Equal("Q4_K_M: 29 % of the size, perplexity +1.10 ± 0.20 %; below it quality falls off.", advice.Headline);
        Assert.Contains(advice.Reasons, r => r.Contains("Q2_K", StringComparison.Ordinal) && r.Contains("+20.0 ± 1.0 %", StringComparison.Ordinal));
        Assert.Contains(advice.Reasons, r => r.Contains("Q8_0", StringComparison.Ordinal) && r.Contains("53 %", StringComparison.Ordinal));
    }

    [Fact]
    public void Tasks_that_cannot_be_told_apart_are_counted()
    {
        // Holm for two tests: the smaller p-value must be at most 0.025, the other at most 0.05.
        VariantReport variant = Variant("Q4_K_M", 290, 1.011, 0.001, 0.02) with { Tasks = [Task(-0.01, -0.019, -0.001, 0.02), Task(-0.01, -0.03, 0.01, 0.06)] };
        Assert.Contains("indistinguishable on 1 of 2 tasks", Recommend(ManyWindows, variant).Headline, StringComparison.Ordinal);
        VariantReport milder = variant with { Tasks = [Task(-0.01, -0.019, -0.001, 0.03), Task(-0.01, -0.03, 0.01, 0.06)] };
        Assert.Contains("indistinguishable on 2 of 2 tasks", Recommend(ManyWindows, milder).Headline, StringComparison.Ordinal);
    }

    [Fact]
    public void A_smaller_one_that_may_do_as_well_is_named()
    {
        Recommendation advice = Recommend(ManyWindows, Variant("Q4_K_M", 290, 1.011, 0.001, 0.02), Variant("IQ4_XS", 270, 1.028, 0.003, 0.03));
        Assert.Equal("Q4_K_M", advice.Variant);
        Assert.DoesNotContain("falls off", advice.Headline, StringComparison.Ordinal);
        Assert.Contains(advice.Reasons, r => r.Contains("IQ4_XS", StringComparison.Ordinal) && r.Contains("longer text", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(9)]
    public void Few_windows_are_not_enough(int windows)
    {
        Recommendation advice = Recommend(windows, Variant("Q4_K_M", 290, 1.001, 0.0001, 0.001));
        Assert.Equal(RecommendationKind.NotEnoughEvidence, advice.Kind);
        Assert.Null(advice.Variant);
        Assert.Contains("at least 10", advice.Headline, StringComparison.Ordinal);
        Assert.Contains(advice.Reasons, r => r.Contains("--windows", StringComparison.Ordinal));
    }

    [Fact]
    public void Wide_intervals_are_not_enough()
    {
        Recommendation advice = Recommend(ManyWindows, Variant("Q4_K_M", 290, 1.011, 0.02, 0.02));
        Assert.Equal(RecommendationKind.NotEnoughEvidence, advice.Kind);
        Assert.Null(advice.Variant);
        Assert.Contains("+1 ± 4 %", advice.Headline, StringComparison.Ordinal);
    }

    [Fact]
    public void Where_all_lose_too_much_none_is_recommended()
    {
        Recommendation advice = Recommend(ManyWindows, Variant("Q3_K_M", 230, 1.08, 0.003, 0.08), Variant("Q2_K", 200, 1.4, 0.01, 0.33));
        Assert.Equal(RecommendationKind.NoneWithin, advice.Kind);
        Assert.Null(advice.Variant);
        Assert.Contains("Q3_K_M", advice.Headline, StringComparison.Ordinal);
    }

    [Fact]
    public void No_difference_stands_without_its_uncertainty()
    {
        ComparisonReport report = SampleReport.Create();
        foreach (string sentence in report.Recommendation.Reasons.Prepend(report.Recommendation.Headline).Where(s => !s.StartsWith("The rule", StringComparison.Ordinal)))
            foreach (string part in sentence.Split("perplexity ")[1..]) Assert.Matches(@"^[+−]?[0-9.]+ ± [0-9.]+ %", part);
    }

    private static Recommendation Recommend(int windows, params VariantReport[] variants) => RecommendationRule.Recommend(s_original, variants, windows, s_bounds);

    private static VariantReport Variant(string name, long bytes, double ratio, double ratioError, double kld)
    {
        DivergenceFigures divergence = SampleReport.Divergence(ratio, ratioError, kld);
        return new()
        {
            Model = new(name, $"{name}.gguf", "", bytes, 16.0 * bytes / 1000, new(10 * ratio, 0.1), null),
            Divergence = divergence,
            IsOnFront = true,
            Verdict = RecommendationRule.Judge(divergence, [], s_bounds),
        };
    }

    private static TaskDifference Task(double difference, double low, double high, double pValue = 0.5) => new("task", new(0.5, 0.02), difference, low, high, 5, 5, pValue);
}
