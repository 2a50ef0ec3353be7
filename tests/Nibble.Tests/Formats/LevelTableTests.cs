using Nibble.Formats;

namespace Nibble.Tests.Formats;

public sealed class LevelTableTests
{
    [Fact]
    public void Nearest_is_the_one_an_exhaustive_search_finds()
    {
        sbyte[] levels = IQ4_NL.Levels.ToArray();
        LevelTable table = new(levels);
        for (float value = -200; value <= 200; value += 1 / 64f)
        {
            float smallest = levels.Min(l => MathF.Abs(l - value));
            int expected = Array.FindLastIndex(levels, l => MathF.Abs(l - value) == smallest);
            Assert.Equal(expected, table.Nearest(value));
        }
    }

    [Fact]
    public void Nearest_gives_a_level_for_what_is_no_number()
    {
        LevelTable table = new(IQ4_NL.Levels);
        Assert.Equal(0, table.Nearest(float.NegativeInfinity));
        Assert.Equal(15, table.Nearest(float.PositiveInfinity));
        Assert.InRange(table.Nearest(float.NaN), 0, 15);
    }
}
