using Nibble.Formats;

namespace Nibble.Tests.Formats;

public sealed class WeightFormatTests
{
    [Fact]
    public void Formats_are_listed_in_alphabetical_order_with_distinct_numbers()
    {
        Assert.Equal(WeightFormat.All.Select(f => f.Name).Order(StringComparer.Ordinal), WeightFormat.All.Select(f => f.Name));
        Assert.Equal(WeightFormat.All.Count, WeightFormat.All.Select(f => f.GgufType).Distinct().Count());
    }
}
