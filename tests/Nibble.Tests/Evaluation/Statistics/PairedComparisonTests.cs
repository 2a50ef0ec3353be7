using Nibble.Evaluation;
using Nibble.Evaluation.Statistics;

namespace Nibble.Tests.Evaluation.Statistics;

public class PairedComparisonTests
{
    /// <summary>1,000 items: 500 right and 400 wrong with both, 60 gained and 40 lost.</summary>
    private static (double[] First, double[] Second) Answers()
    {
        double[] first = new double[1000], second = new double[1000];
        for (int i = 0; i < 500; i++) first[i] = second[i] = 1;
        for (int i = 500; i < 560; i++) second[i] = 1;
        for (int i = 560; i < 600; i++) first[i] = 1;
        return (first, second);
    }

    [Fact]
    public void Flips_difference_and_interval_are_those_of_a_table_by_hand()
    {
        (double[] first, double[] second) = Answers();
        PairedComparison comparison = PairedComparison.OfAnswers(first, second, seed: 1);
        Assert.Equal((1000, 60, 40), (comparison.Items, comparison.Gained!.Value, comparison.Lost!.Value));
        Assert.Equal(0.54, comparison.Base, 1e-12);
        Assert.Equal(0.56, comparison.Variant, 1e-12);
        Assert.Equal(0.02, comparison.Difference, 1e-12);
        Assert.Equal(McNemar.PValue(60, 40), comparison.PValue);
        // The standard error of a paired difference is sqrt((b + c) / n - d²) / sqrt(n) = 0.00998, and 1.96 of it to either side the interval.
        Assert.Equal(0.02 - 1.96 * 0.00998, comparison.Lower, 1e-3);
        Assert.Equal(0.02 + 1.96 * 0.00998, comparison.Upper, 1e-3);
        Assert.False(comparison.IsDistinguishable);
    }

    [Fact]
    public void The_same_seed_gives_the_same_interval_and_another_nearly_the_same()
    {
        double[] first = [.. Enumerable.Range(0, 500).Select(i => Math.Sin(i))], second = [.. Enumerable.Range(0, 500).Select(i => Math.Sin(i) + Math.Cos(3.7 * i) / 10)];
        PairedComparison one = PairedComparison.OfMeans(first, second, null, 7), again = PairedComparison.OfMeans(first, second, null, 7), other = PairedComparison.OfMeans(first, second, null, 8);
        Assert.Equal(one, again);
        Assert.NotEqual((one.Lower, one.Upper), (other.Lower, other.Upper));
        Assert.Equal(one.Lower, other.Lower, 5e-4); // a seventh of the standard error, 0.1 / sqrt(2 · 500) = 0.0032
    }

    [Fact]
    public void A_large_difference_is_told_from_chance()
    {
        double[] first = [.. Enumerable.Range(0, 200).Select(i => i < 150 ? 1.0 : 0)], second = [.. Enumerable.Range(0, 200).Select(i => i < 110 ? 1.0 : 0)];
        PairedComparison comparison = PairedComparison.OfAnswers(first, second);
        Assert.True(comparison.IsDistinguishable);
        Assert.True(comparison.Upper < 0);
        Assert.Equal(Math.Pow(2, -39), comparison.PValue!.Value, 1e-15); // 2 · 2^-40
    }

    [Fact]
    public void Items_that_never_differ_leave_the_doubt_of_their_number()
    {
        double[] answers = [1, 0, 1, 1, 0, 1, 0, 0, 1, 1];
        PairedComparison comparison = PairedComparison.OfAnswers(answers, answers);
        Assert.Equal(0, comparison.Difference);
        Assert.Equal(1, comparison.PValue);
        Assert.Equal(0.05, Math.Pow(1 - comparison.Upper, 10), 1e-12); // what happens to a tenth of items with this share is unseen in one of 20 tests
        Assert.Equal(-comparison.Upper, comparison.Lower);
    }

    [Fact]
    public void Few_items_show_no_difference()
    {
        Assert.False(PairedComparison.OfMeans([-1], [-2], null).IsDistinguishable);
        Assert.False(PairedComparison.OfMeans([-1, -2], [-2, -4], null).IsDistinguishable);
        PairedComparison one = PairedComparison.OfAnswers([1], [0]), ten = PairedComparison.OfAnswers(new double[10], [.. Enumerable.Repeat(1.0, 10)]);
        Assert.Equal((-1, 0.9), (one.Lower, Math.Round(one.Upper, 12))); // a loss of 5 % shows in one of 20 tests, beside 95 % gained
        Assert.Equal(0.05, Math.Pow((1 + ten.Lower) / 2, 10), 1e-12);
        Assert.True(ten.IsDistinguishable);
    }

    [Fact]
    public void A_share_of_none_or_all_has_Wilsons_reach()
    {
        Assert.Equal(0.2775, Estimate.Share(0, 10).High, 5e-5); // Newcombe 1998, as below
        Assert.Equal(1 - 0.1611, Estimate.Share(20, 20).Low, 5e-5);
    }

    [Fact]
    public void A_perplexity_is_compared_through_the_mean()
    {
        double[] first = [-1, -2, -3], second = [-2, -3, -4];
        PairedComparison comparison = PairedComparison.OfMeans(first, second, mean => Math.Exp(-mean));
        Assert.Equal(Math.Exp(2), comparison.Base, 1e-12);
        Assert.Equal(Math.Exp(3), comparison.Variant, 1e-12);
        Assert.Null(comparison.PValue);
        // Each resample has a mean m between -3 and -1 of the first and m - 1 of the second.
        Assert.InRange(comparison.Lower, Math.E * (Math.E - 1) - 1e-9, Math.Exp(3) - Math.Exp(2));
        Assert.InRange(comparison.Upper, Math.Exp(3) - Math.Exp(2), Math.Exp(3) * (Math.E - 1) + 1e-9);
    }

    [Theory]
    [InlineData(0, 10, 0, 0.2775)] // Newcombe 1998, table I, method 3, and Wilson's formula by hand
    [InlineData(5, 10, 0.2366, 0.7634)]
    [InlineData(81, 263, 0.2553, 0.3662)]
    [InlineData(15, 148, 0.0624, 0.1605)]
    [InlineData(0, 20, 0, 0.1611)]
    [InlineData(1, 29, 0.0061, 0.1718)]
    public void Wilsons_interval_is_the_published_one(int count, int total, double lower, double upper)
    {
        (double low, double high) = WilsonInterval.Of(count, total);
        Assert.Equal(lower, low, 5e-5);
        Assert.Equal(upper, high, 5e-5);
    }
}
