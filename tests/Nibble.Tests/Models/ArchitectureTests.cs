using Nibble.Files;

namespace Nibble.Tests.Models;

public class ArchitectureTests
{
    private static readonly int[] s_tokens = [5, 17, 3, 60, 0, 17, 42, 8, 9, 10, 33, 1, 2, 59, 21, 7, 7, 7, 30, 12];

    [Fact]
    public void Llama_turns_pairs() => Check(new RandomModel("llama"), turnsPairs: true);

    [Fact]
    public void Llama_turns_the_leading_values_where_the_model_says_so() => Check(new RandomModel("llama") { RopeDimensions = 8 }, turnsPairs: true);

    [Fact]
    public void Qwen2_has_biases_and_may_tie_the_head() =>
        Check(new RandomModel("qwen2") { HasBias = true, IsTied = true, KeyHeads = 1, RopeBase = 1e6 }, turnsPairs: false);

    [Fact]
    public void Qwen3_normalizes_heads() =>
        Check(new RandomModel("qwen3") { HasHeadNorms = true, HeadSize = 20, KeyHeads = 4, RopeBase = 1e6 }, turnsPairs: false);

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(19)]
    public void A_sliding_window_hides_what_lies_before_it(int window) =>
        Check(new RandomModel("llama") { Window = window, HeadSize = 16, Heads = 3, KeyHeads = 1 }, turnsPairs: true);

    [Fact]
    public void In_one_layer_with_a_window_scores_depend_on_the_last_tokens_alone()
    {
        RandomModel shape = new("llama") { Window = 4, Layers = 1 };
        using RunningModel model = new(shape.Build());
        float[] scores = model.Logits([1, 2, 3, 4, 5, 6, 7, 8])[^1];
        Assert.Equal(scores, model.Logits([9, 50, 33, 60, 5, 6, 7, 8])[^1]);
        Assert.NotEqual(scores, model.Logits([1, 2, 3, 4, 9, 6, 7, 8])[^1]);
    }

    [Fact]
    public void A_window_pattern_says_which_layers_have_the_window()
    {
        RandomModel plain = new("llama") { Layers = 1 }, windowed = plain with { Window = 4, More = [("attention.sliding_window_pattern", MetadataValue.Of([0]))] };
        using RunningModel without = new(plain.Build()), with = new(windowed.Build());
        Assert.Equal(without.Logits(s_tokens)[^1], with.Logits(s_tokens)[^1]);
    }

    [Fact]
    public void Turning_halves_equals_turning_pairs_of_reordered_rows()
    {
        RandomModel shape = new("qwen2");
        GgufModel halves = shape.Build(), pairs = (shape with { Architecture = "llama" }).Build();
        for (int layer = 0; layer < shape.Layers; layer++)
        {
            Reorder($"blk.{layer}.attn_q.weight", shape.Heads);
            Reorder($"blk.{layer}.attn_k.weight", shape.KeyHeads);
        }
        using RunningModel first = new(halves);
        NaiveModel second = new(shape with { Architecture = "llama" }, pairs.Values) { TurnsPairs = true };
        Compare(second.Logits(s_tokens), first.Logits(s_tokens));

        void Reorder(string name, int heads) => pairs.Values[name] = SampleModel.HalvesToPairs(pairs.Values[name], heads, shape.Width);
    }

    [Fact]
    public void The_reference_notices_every_part_of_a_model()
    {
        RandomModel shape = new("qwen2") { HasBias = true };
        GgufModel model = shape.Build();
        double[][] truth = new NaiveModel(shape, model.Values).Logits(s_tokens);
        foreach (string name in model.Values.Keys)
        {
            Dictionary<string, float[]> changed = new(model.Values) { [name] = [.. model.Values[name].Select(v => v * 1.5f)] };
            double[][] other = new NaiveModel(shape, changed).Logits(s_tokens);
            Assert.True(Difference(truth, other) > 5 * Tolerance, $"{name} hardly matters: {Difference(truth, other)}");
        }
        Assert.True(Difference(truth, new NaiveModel(shape, model.Values) { TurnsPairs = true }.Logits(s_tokens)) > 5 * Tolerance);
    }

    /// <summary>Sums over attended values are in half precision, 11 bits, and scores are up to 4. With exact sums it is below 1e-3.</summary>
    internal const double Tolerance = 2e-2;

    internal static void Check(RandomModel shape, bool turnsPairs)
    {
        GgufModel model = shape.Build();
        using RunningModel running = new(model);
        Compare(new NaiveModel(shape, model.Values) { TurnsPairs = turnsPairs }.Logits(s_tokens), running.Logits(s_tokens));
    }

    internal static void Compare(double[][] expected, float[][] actual)
    {
        double difference = Difference(expected, [.. actual.Select(row => row.Select(v => (double)v).ToArray())]);
        Assert.True(difference < Tolerance, $"scores differ by {difference}");
    }

    internal static double Difference(double[][] a, double[][] b)
    {
        Assert.Equal(a.Length, b.Length);
        return a.Zip(b, (x, y) => x.Zip(y, (u, v) => Math.Abs(u - v)).Max()).Max();
    }
}
