using Nibble.Evaluation.Statistics;

namespace Nibble.Tests.Evaluation.Statistics;

public class McNemarTests
{
    [Theory]
    [InlineData(0, 0, 1)]
    [InlineData(1, 0, 1)]                  // 2 · 1/2
    [InlineData(3, 3, 1)]
    [InlineData(0, 5, 0.0625)]             // 2 · 1/32
    [InlineData(8, 2, 0.109375)]           // 2 · (1 + 10 + 45) / 1024
    [InlineData(10, 20, 0.09873714670538902)]      // these three summed in exact fractions
    [InlineData(600, 500, 0.0028195449914364275)]
    [InlineData(1800, 2000, 0.0012427867782631994)]
    public void The_p_value_is_the_exact_one(int gained, int lost, double expected)
    {
        Assert.Equal(expected, McNemar.PValue(gained, lost), 1e-12);
        Assert.Equal(expected, McNemar.PValue(lost, gained), 1e-12);
    }

    [Fact]
    public void Very_many_flips_leave_no_range()
    {
        Assert.Equal(0, McNemar.PValue(0, 100_000));
        Assert.InRange(McNemar.PValue(50_000, 50_010), 0.95, 1);
    }
}
