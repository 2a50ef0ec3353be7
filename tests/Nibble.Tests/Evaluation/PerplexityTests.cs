using System.Globalization;
using System.Text.Json;
using Nibble.Evaluation;
using Nibble.Generation;
using Nibble.Kernels;
using Nibble.Models;
using Nibble.Quantization;

namespace Nibble.Tests.Evaluation;

public class PerplexityTests
{
    /// <summary>
    /// One level for each kind of block; NIBBLE_TEST_ALL=1 takes all. The reference rounds activations with other kernels,
    /// so half a per cent of difference is within its definition.
    /// </summary>
    public static TheoryData<string> Levels => Environment.GetEnvironmentVariable("NIBBLE_TEST_ALL") == "1"
        ? [.. Recipe.All.Select(r => r.Name)]
        : ["F32", "Q8_0", "Q5_1", "Q4_K_M", "Q2_K"];

    [Theory]
    [MemberData(nameof(Levels))]
    public void Perplexity_is_that_of_the_reference(string level)
    {
        using JsonDocument quality = JsonDocument.Parse(File.ReadAllText(Shared.Find("golden/tiny-quality.json")));
        JsonElement expected = quality.RootElement.GetProperty("levels").GetProperty(level);
        using LanguageModel model = SampleModel.Open(level, threads: 0);
        // 48 windows of 256 tokens; the start of the text has more than enough.
        int[] tokens = model.Tokenizer.Encode(File.ReadAllBytes(Shared.Find("text/wiki.test.raw")).AsSpan(0, 80_000));
        PerplexityResult result = PerplexityMeasurement.Measure(model.Network, tokens, Options(256, 48, model.Tokenizer.Bos), model.Pool);
        double ppl = expected.GetProperty("ppl").GetDouble();
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{level}: {result.Perplexity:F4} ± {result.Error:F4}, reference {ppl:F4}, {100 * (result.Perplexity / ppl - 1):F3} %"));
        Assert.InRange(result.Perplexity / ppl, 0.995, 1.005);
        Assert.Equal(expected.GetProperty("tokens").GetInt64(), result.Tokens);
        Assert.Equal(48, result.Windows);
        Assert.Equal(256, result.ContextLength);
    }

    [Fact]
    public void The_tokens_of_the_text_are_the_expected_ones()
    {
        using JsonDocument golden = JsonDocument.Parse(File.ReadAllText(Shared.Find("golden/tiny-tokens.json")));
        int[] expected = [.. golden.RootElement.GetProperty("ids").EnumerateArray().Select(n => n.GetInt32())];
        using LanguageModel model = SampleModel.Open("Q8_0");
        Assert.Equal(expected, model.Tokenizer.Encode(File.ReadAllBytes(Shared.Find("text/wiki.test.raw")).AsSpan(0, 80_000))[..expected.Length]);
    }

    [Theory]
    [InlineData(4, 1)]
    [InlineData(5, 3)]
    [InlineData(32, 2)]
    [InlineData(200, 1)] // more than is scored together
    public void Mean_and_error_follow_their_definitions(int context, int windows)
    {
        const int Bos = 4093;
        int[] tokens = [.. Enumerable.Range(0, context * windows + context / 2).Select(i => i * 31 % 4000)];
        using LanguageModel model = SampleModel.Open("Q8_0");
        List<double> losses = [];
        for (int w = 0; w < windows; w++)
        {
            int[] window = tokens[(w * context)..((w + 1) * context)];
            window[0] = Bos;
            using Session session = model.CreateSession(context);
            Activations logits = session.Append(window, 0);
            for (int i = context / 2; i < context - 1; i++)
            {
                double[] scores = [.. logits.Read(i).ToArray().Select(v => (double)v)];
                double highest = scores.Max();
                losses.Add(highest + Math.Log(scores.Sum(s => Math.Exp(s - highest))) - scores[window[i + 1]]);
            }
        }
        double mean = losses.Average();
        double error = losses.Count < 2 ? 0 : Math.Sqrt(losses.Sum(l => (l - mean) * (l - mean)) / losses.Count / (losses.Count - 1));

        Steps steps = new();
        PerplexityResult result = PerplexityMeasurement.Measure(model.Network, tokens, Options(context, int.MaxValue, Bos), model.Pool, steps);
        Assert.Equal(losses.Count, result.Tokens);
        Assert.Equal(windows, result.Windows);
        Assert.Equal(1, result.Perplexity / Math.Exp(mean), 1e-5);
        Assert.Equal(Math.Exp(mean) * error, result.Error, 1e-4 * Math.Exp(mean));
        Assert.Equal(Enumerable.Range(1, windows), steps.Seen.Select(s => s.Windows));
        Assert.Equal(result, steps.Seen[^1]);
    }

    [Fact]
    public void The_first_token_of_a_window_counts_only_without_a_token_to_begin_with()
    {
        using LanguageModel model = SampleModel.Open("Q8_0");
        int[] one = [.. Enumerable.Range(0, 64).Select(i => i * 31 % 4000)], other = [.. one];
        other[0] = 77;
        Assert.Equal(Measure(one, 4093), Measure(other, 4093));
        Assert.NotEqual(Measure(one, null), Measure(other, null));
        Assert.Equal(77, other[0]);

        PerplexityResult Measure(int[] tokens, int? bos) => PerplexityMeasurement.Measure(model.Network, tokens, Options(64, 1, bos), model.Pool);
    }

    [Fact]
    public void The_result_does_not_depend_on_threads()
    {
        int[] tokens = [.. Enumerable.Range(0, 200).Select(i => i * 31 % 4000)];
        HashSet<PerplexityResult> results = [];
        foreach (int threads in new[] { 1, 2, 3 })
        {
            using LanguageModel model = SampleModel.Open("Q4_K_M", threads);
            results.Add(PerplexityMeasurement.Measure(model.Network, tokens, Options(100, 2, 4093), model.Pool));
        }
        Assert.Single(results);
    }

    [Theory]
    [InlineData(64, 3, 1, "at least 4")]
    [InlineData(63, 64, 1, "63 tokens")]
    [InlineData(0, 64, 1, "0 tokens")]
    [InlineData(64, 64, 0, "windows")]
    [InlineData(64, 64, -5, "windows")]
    public void What_cannot_be_measured_is_refused(int length, int context, int windows, string part)
    {
        using LanguageModel model = SampleModel.Open("Q8_0");
        Assert.Contains(part, Assert.Throws<NibbleException>(() => PerplexityMeasurement.Measure(model.Network, new int[length], Options(context, windows), model.Pool)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_token_that_the_model_lacks_is_refused_also_at_the_end_of_a_window()
    {
        using LanguageModel model = SampleModel.Open("Q8_0");
        int[] tokens = new int[64];
        tokens[^1] = 4096;
        Assert.Contains("4096", Assert.Throws<NibbleException>(() => PerplexityMeasurement.Measure(model.Network, tokens, Options(64, 1), model.Pool)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Damaged_weights_are_reported_and_not_measured()
    {
        Models.RandomModel shape = new("llama");
        GgufModel damaged = shape.Build();
        GgufModel model = new("llama");
        foreach ((string key, Nibble.Files.MetadataValue value) in damaged.Metadata) model.Metadata[key] = value;
        foreach ((string name, float[] values) in damaged.Values)
        {
            if (name == "blk.1.ffn_up.weight") values[100] = float.NaN;
            int columns = name.Contains("ffn_down", StringComparison.Ordinal) ? shape.Hidden : name.Contains("norm", StringComparison.Ordinal) ? values.Length : shape.Width;
            model.Add(name, values, columns, columns == values.Length ? null : values.Length / columns);
        }
        using Models.RunningModel running = new(model);
        using WorkerPool pool = new(1);
        Assert.Contains("not a number", Assert.Throws<NibbleException>(() => PerplexityMeasurement.Measure(running.Network, new int[64], Options(64, 1), pool)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Measuring_can_be_stopped()
    {
        using LanguageModel model = SampleModel.Open("Q8_0");
        Assert.Throws<OperationCanceledException>(() => PerplexityMeasurement.Measure(model.Network, new int[640], Options(64, 10), model.Pool, cancellationToken: new CancellationToken(true)));
    }

    private static EvaluationOptions Options(int context, int windows, int? bos = null) => new() { ContextLength = context, Windows = windows, BeginningOfText = bos };

    private sealed class Steps : IProgress<PerplexityResult>
    {
        public List<PerplexityResult> Seen { get; } = [];

        public void Report(PerplexityResult value) => Seen.Add(value);
    }
}
