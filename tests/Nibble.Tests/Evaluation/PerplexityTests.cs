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
        double error = Math.Sqrt(losses.Sum(l => (l - mean) * (l - mean)) / losses.Count / (losses.Count - 1));

        Steps steps = new();
        PerplexityResult result = PerplexityMeasurement.Measure(model.Network, tokens, Options(context, int.MaxValue, Bos), model.Pool, steps);
        Assert.Equal(losses.Count, result.Tokens);
        Assert.Equal(windows, result.Windows);
        Assert.Equal(1, result.Perplexity / Math.Exp(mean), 1e-5);
        // One token does not tell how far another would be from it.
        if (losses.Count < 2) Assert.Equal(double.NaN, result.Error);
        else Assert.Equal(Math.Exp(mean) * error, result.Error, 1e-4 * Math.Exp(mean));
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

    /// <summary>As Hugging Face's guide writes it: windows begin a stride apart, and of each the tokens behind the end of the one before are targets.</summary>
    [Theory]
    [InlineData(60, 16, 5)]
    [InlineData(60, 16, 15)]
    [InlineData(61, 16, 1)]
    [InlineData(9, 16, 4)]
    public void With_a_stride_it_is_that_of_the_guide(int length, int context, int stride)
    {
        using LanguageModel model = SampleModel.Open("Q8_0");
        int[] tokens = [.. Enumerable.Range(0, length).Select(i => i * 31 % 4000)];
        List<double> losses = [];
        int previousEnd = 0;
        for (int begin = 0; begin < length; begin += stride)
        {
            int end = Math.Min(begin + context, length), targets = end - previousEnd;
            using Session session = model.CreateSession(context);
            Activations logits = session.Append(tokens.AsSpan(begin, end - begin), 0);
            for (int label = Math.Max(1, end - begin - targets); label < end - begin; label++)
            {
                double[] scores = [.. logits.Read(label - 1).ToArray().Select(v => (double)v)];
                double highest = scores.Max();
                losses.Add(highest + Math.Log(scores.Sum(s => Math.Exp(s - highest))) - scores[tokens[begin + label]]);
            }
            previousEnd = end;
            if (end == length) break;
        }
        PerplexityResult result = PerplexityMeasurement.Measure(model.Network, tokens, Options(context, int.MaxValue, 4093) with { Stride = stride }, model.Pool);
        Assert.Equal(length - 1, result.Tokens); // all but the first
        Assert.Equal(losses.Count, result.Tokens);
        Assert.Equal(1, result.Perplexity / Math.Exp(losses.Average()), 1e-5);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(16)] // would score no first token of a window
    [InlineData(17)]
    public void A_stride_at_which_windows_do_not_overlap_is_refused(int stride)
    {
        using LanguageModel model = SampleModel.Open("Q8_0");
        Assert.Contains("--stride", Assert.Throws<NibbleException>(() => PerplexityMeasurement.Measure(model.Network, new int[64], Options(16, 1) with { Stride = stride }, model.Pool)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("token_embd.weight", "embedding")]
    [InlineData("blk.0.attn_v.weight", "layer 0, between blk.0.attn_v.weight and blk.0.attn_output.weight")]
    [InlineData("blk.1.ffn_up.weight", "layer 1, between blk.1.ffn_up.weight and blk.1.ffn_down.weight")]
    [InlineData("blk.0.ffn_down.weight", "at the end of layer 0 (blk.0.ffn_down.weight)")]
    [InlineData("blk.1.attn_norm.weight", "or in the norm before blk.1.attn_q.weight")]
    [InlineData("output.weight", "begin in output.weight")]
    public void Damaged_weights_are_reported_with_the_layer_where_it_begins(string damaged, string where)
    {
        Models.RandomModel shape = new("llama");
        GgufModel model = new("llama");
        foreach ((string key, Nibble.Files.MetadataValue value) in shape.Build().Metadata) model.Metadata[key] = value;
        foreach ((string name, float[] values) in shape.Build().Values)
        {
            if (name == damaged) values[10] = float.NaN;
            int columns = name.Contains("ffn_down", StringComparison.Ordinal) ? shape.Hidden : name.Contains("norm", StringComparison.Ordinal) ? values.Length : shape.Width;
            model.Add(name, values, columns, columns == values.Length ? null : values.Length / columns);
        }
        using Models.RunningModel running = new(model);
        using WorkerPool pool = new(1);
        string message = Assert.Throws<NibbleException>(() => PerplexityMeasurement.Measure(running.Network, new int[64], Options(64, 1), pool)).Message;
        Assert.Contains("not a number", message, StringComparison.Ordinal);
        Assert.Contains(where, message, StringComparison.Ordinal);
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
