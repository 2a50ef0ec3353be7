using Nibble.Quantization;

namespace Nibble.Tests.Quantization;

public class ValueRangeTests
{
    [Theory]
    [InlineData(float.NaN, true)]
    [InlineData(float.PositiveInfinity, true)]
    [InlineData(float.NegativeInfinity, true)]
    [InlineData(65505f, true)]
    [InlineData(-65536f, true)]
    [InlineData(65504f, false)]
    [InlineData(-65504f, false)]
    [InlineData(float.Epsilon, false)]
    [InlineData(-0f, false)]
    public void One_value_decides_wherever_it_is(float value, bool isAbove)
    {
        for (int length = 1; length < 70; length++)
        {
            for (int place = 0; place < length; place++)
            {
                float[] values = new float[length];
                Array.Fill(values, -1);
                values[place] = value;
                Assert.Equal(isAbove, ValueRange.AnyAbove(65504, values));
            }
        }
    }

    [Fact]
    public void There_is_none_among_nothing() => Assert.False(ValueRange.AnyAbove(1, []));
}
