using System.Globalization;
using Nibble.Formats;
using Nibble.Models;

namespace Nibble.Tests.Models;

public class CacheOptionsTests
{
    private static readonly int[] s_tokens = [5, 17, 3, 60, 0, 17, 42, 8, 9, 10, 33, 1, 2, 59, 21, 7, 7, 7, 30, 12];

    [Theory]
    [InlineData("f32", "F32")]
    [InlineData("F16", "F16")]
    [InlineData("bf16", "BF16")]
    [InlineData("q8_0", "Q8_0")]
    [InlineData("Q5_0", "Q5_0")]
    [InlineData("q4_0", "Q4_0")]
    public void Formats_have_the_usual_names(string name, string expected) => Assert.Equal(expected, CacheOptions.ParseFormat(name).Name);

    [Theory]
    [InlineData("Q4_K")]
    [InlineData("q4")]
    [InlineData("")]
    public void Another_name_is_refused_with_those_there_are(string name) =>
        Assert.Contains("q5_0, q4_0", Assert.Throws<NibbleException>(() => CacheOptions.ParseFormat(name)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("f16", null, false)]
    [InlineData("q8_0", null, false)]
    [InlineData("q5_0", null, true)]
    [InlineData("q4_0", null, true)]
    [InlineData("q4_0", false, false)]
    [InlineData("f32", true, true)]
    public void Below_8_bits_heads_are_turned_unless_told_otherwise(string format, bool? asked, bool expected)
    {
        Assert.Equal(expected, new CacheOptions { KeyFormat = CacheOptions.ParseFormat(format), Rotate = asked }.RotatesKeys);
        Assert.Equal(expected, new CacheOptions { ValueFormat = CacheOptions.ParseFormat(format), Rotate = asked }.RotatesValues);
    }

    [Fact]
    public void Heads_that_no_block_fits_are_refused()
    {
        using RunningModel model = new(new RandomModel("llama") { HeadSize = 20 }.Build());
        CacheOptions options = new() { ValueFormat = WeightFormat.Of<Q4_0>() };
        foreach (Action action in new Action[] { () => model.Start(16, options).Dispose(), () => model.Network.MemoryFor(16, options) })
        {
            string message = Assert.Throws<NibbleException>(action).Message;
            Assert.Contains("--cache-type-v", message, StringComparison.Ordinal);
            Assert.Contains("20", message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("F32", 1e-4)]
    [InlineData("F16", 2e-2)]
    [InlineData("BF16", 4e-2)]
    [InlineData("Q8_0", 0.1)]
    [InlineData("Q5_0", 0.8)]
    [InlineData("Q4_0", 1.6)]
    public void Scores_are_those_of_an_exact_cache_but_for_rounding(string format, double tolerance)
    {
        RandomModel shape = new("llama") { HeadSize = 32 };
        GgufModel file = shape.Build();
        double[][] expected = new NaiveModel(shape, file.Values) { TurnsPairs = true, IsCacheExact = true }.Logits(s_tokens);
        using RunningModel model = new(file);
        CacheOptions options = new() { KeyFormat = CacheOptions.ParseFormat(format), ValueFormat = CacheOptions.ParseFormat(format) };
        foreach (bool rotate in new[] { false, true })
        {
            double difference = ArchitectureTests.Difference(expected, [.. model.Logits(s_tokens, options with { Rotate = rotate }).Select(row => row.Select(v => (double)v).ToArray())]);
            Assert.True(difference < tolerance, string.Create(CultureInfo.InvariantCulture, $"scores differ by {difference}, turned: {rotate}"));
        }
    }

    [Fact]
    public void A_cache_has_the_size_that_is_stated()
    {
        using RunningModel model = new(new RandomModel("llama") { HeadSize = 64, Layers = 3 }.Build());
        CacheOptions options = new() { KeyFormat = WeightFormat.Of<Q8_0>(), ValueFormat = WeightFormat.Of<Q4_0>() };
        MemoryNeed need = model.Network.MemoryFor(100, options);
        Assert.Equal(3L * 2 * 100 * 2 * (34 + 18), need.Cache);
        using KvCache cache = model.Network.CreateCache(100, options);
        Assert.Equal(need.Cache, cache.Bytes);
        Assert.Equal(need.Weights + need.Cache + need.Scratch, need.Total);
        Assert.InRange(need.Weights, model.FileBytes / 2, 2 * model.FileBytes);
    }
}
