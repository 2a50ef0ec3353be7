using Nibble.Files;

namespace Nibble.Tests.Models;

/// <summary>The ways of stretching texts as GGUF's metadata asks for them, through whole models.</summary>
public class RopeScalingTests
{
    private static readonly int[] s_tokens = [.. Enumerable.Range(0, 60).Select(i => i * 13 % 61)];

    [Theory]
    [InlineData("rope.scaling.factor")]
    [InlineData("rope.scale_linear")]
    public void Linear(string key)
    {
        RandomModel shape = new("llama") { More = [(key, MetadataValue.Of(4f))] };
        Check(shape, i => Plain(shape, i) / 4, 1);
        Check(shape with { More = [.. shape.More, ("rope.scaling.type", MetadataValue.Of("linear"))] }, i => Plain(shape, i) / 4, 1);
    }

    [Fact]
    public void None()
    {
        RandomModel shape = new("llama") { More = [("rope.scaling.factor", MetadataValue.Of(4f)), ("rope.scaling.type", MetadataValue.Of("none"))] };
        Check(shape, i => Plain(shape, i), 1);
    }

    [Fact]
    public void Llama_3_by_a_tensor_of_factors()
    {
        RandomModel shape = new("llama") { FrequencyFactors = [1, 1, 1.5f, 3, 8, 8] };
        Check(shape, i => Plain(shape, i) / shape.FrequencyFactors![i], 1);
    }

    [Fact]
    public void Yarn()
    {
        RandomModel shape = new("qwen3")
        {
            HasHeadNorms = true,
            HeadSize = 16,
            RopeBase = 1000,
            Context = 256,
            More =
        [
            ("rope.scaling.type", MetadataValue.Of("yarn")), ("rope.scaling.factor", MetadataValue.Of(4f)),
            ("rope.scaling.original_context_length", MetadataValue.Of(64u)),
        ]
        };
        // Pairs with more than 32 turns in 64 tokens: none; with less than one: from pair 8 · ln(64 / 2π) / ln 1000 = 2.69 on, rounded up.
        Check(shape, i => Plain(shape, i) * (1 - 0.75 * Math.Min(1, i / 3.0)), 0.1 * Math.Log(4) + 1);
        RandomModel twice = shape with { More = [.. shape.More, ("rope.scaling.attn_factor", MetadataValue.Of(0.5f))] };
        Check(twice, i => Plain(shape, i) * (1 - 0.75 * Math.Min(1, i / 3.0)), 0.5 * (0.1 * Math.Log(4) + 1));
        // attention_factor of Hugging Face's configuration: the whole of it.
        RandomModel stated = shape with { More = [.. shape.More, ("rope.scaling.yarn_attn_factor", MetadataValue.Of(1.3f))] };
        Check(stated, i => Plain(shape, i) * (1 - 0.75 * Math.Min(1, i / 3.0)), 1.3);
    }

    [Fact]
    public void An_unknown_kind_is_refused_with_the_known_ones()
    {
        RandomModel shape = new("llama") { More = [("rope.scaling.type", MetadataValue.Of("longrope"))] };
        string message = Assert.Throws<NibbleException>(() => new RunningModel(shape.Build())).Message;
        Assert.Contains("longrope", message, StringComparison.Ordinal);
        Assert.Contains("yarn", message, StringComparison.Ordinal);
    }

    private static double Plain(RandomModel shape, int pair) => Math.Pow(shape.RopeBase, -2.0 * pair / shape.Turned);

    private static void Check(RandomModel shape, Func<int, double> frequency, double magnitude)
    {
        GgufModel model = shape.Build();
        NaiveModel naive = new(shape, model.Values)
        {
            TurnsPairs = shape.Architecture == "llama",
            Frequencies = [.. Enumerable.Range(0, shape.Turned / 2).Select(frequency)],
            Magnitude = magnitude,
        };
        using RunningModel running = new(model);
        double[][] expected = naive.Logits(s_tokens);
        ArchitectureTests.Compare(expected, running.Logits(s_tokens));

        bool isScaled = magnitude != 1 || frequency(shape.Turned / 2 - 1) != Plain(shape, shape.Turned / 2 - 1);
        NaiveModel plain = new(shape with { FrequencyFactors = null }, model.Values) { TurnsPairs = naive.TurnsPairs };
        Assert.Equal(isScaled, ArchitectureTests.Difference(expected, plain.Logits(s_tokens)) > 5 * ArchitectureTests.Tolerance);
    }
}
