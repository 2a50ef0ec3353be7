using System.Globalization;
using System.Text.Json;
using Nibble.Evaluation;
using Nibble.Evaluation.Divergence;
using Nibble.Generation;
using Nibble.Kernels;
using Nibble.Models;
using Nibble.Quantization;

namespace Nibble.Tests.Evaluation.Divergence;

public class DivergenceTests
{
    /// <summary>
    /// Levels of different kinds; NIBBLE_TEST_ALL=1 takes all that the reference has, none of which needs an importance matrix.
    /// </summary>
    public static TheoryData<string> Levels => Environment.GetEnvironmentVariable("NIBBLE_TEST_ALL") == "1"
        ? [.. Recipe.All.Where(r => !r.NeedsImportance && !r.Format.NeedsImportance && r.Name != "F32").Select(r => r.Name)]
        : ["Q8_0", "Q5_1", "Q4_K_M", "IQ4_XS", "Q2_K"];

    [Theory]
    [MemberData(nameof(Levels))]
    public void Divergence_is_that_of_the_reference(string level)
    {
        using JsonDocument quality = JsonDocument.Parse(File.ReadAllText(Shared.Find("golden/tiny-quality.json")));
        Assert.SkipUnless(quality.RootElement.GetProperty("levels").TryGetProperty(level, out JsonElement expected), $"the reference has no {level}");
        using LanguageModel original = SampleModel.Open("F32", threads: 0), variant = SampleModel.Open(level);
        int[] tokens = original.Tokenizer.Encode(File.ReadAllBytes(Shared.Find("text/wiki.test.raw")).AsSpan(0, 80_000));
        DivergenceResult result = DivergenceMeasurement.Measure(original.Network, variant.Network, tokens, Options(256, 48, original.Tokenizer.Bos), original.Pool);

        double ppl = expected.GetProperty("ppl").GetDouble(), mean = expected.GetProperty("mean_kld").GetDouble(), p99 = expected.GetProperty("p99_kld").GetDouble(), same = expected.GetProperty("same_top").GetDouble();
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{level} | {result.Perplexity.Perplexity:F3} | {100 * (result.Perplexity.Perplexity / ppl - 1):F3} % | {result.Mean.Value:F6} | {100 * (result.Mean.Value / mean - 1):F2} % | {result.Divergences.At(0.99):F6} | {100 * (result.Divergences.At(0.99) / p99 - 1):F2} % | {100 * result.SameTop.Value:F2} % | {100 * (result.SameTop.Value - same):F2}"));
        Assert.Equal(expected.GetProperty("tokens").GetInt32(), result.Tokens.Count);
        Assert.Equal(48, result.Windows);
        Assert.InRange(result.Perplexity.Perplexity / ppl, 0.995, 1.005);
        if (mean > 0.001) Assert.InRange(result.Mean.Value / mean, 0.95, 1.05);
        if (p99 > 0.001) Assert.InRange(result.Divergences.At(0.99) / p99, 0.95, 1.05);
        Assert.Equal(same, result.SameTop.Value, 4 * result.SameTop.Error + 0.005);
    }

    [Theory]
    [InlineData(32, 3)]
    [InlineData(255, 1)]
    public void It_follows_its_definition(int context, int windows)
    {
        const int Bos = 4093;
        int[] tokens = Text(context * windows);
        using LanguageModel original = SampleModel.Open("Q8_0", threads: 2), variant = SampleModel.Open("Q2_K");
        List<(double Base, double Variant, double Kld, bool Same)> expected = [];
        for (int w = 0; w < windows; w++)
        {
            int[] window = tokens[(w * context)..((w + 1) * context)];
            window[0] = Bos;
            double[][] p = Distributions(original, window), q = Distributions(variant, window);
            for (int i = context / 2; i < context - 1; i++)
            {
                double kld = 0;
                for (int id = 0; id < p[i].Length; id++) kld += p[i][id] * Math.Log(p[i][id] / q[i][id]);
                expected.Add((p[i][window[i + 1]], q[i][window[i + 1]], kld, Array.IndexOf(p[i], p[i].Max()) == Array.IndexOf(q[i], q[i].Max())));
            }
        }
        DivergenceResult result = DivergenceMeasurement.Measure(original.Network, variant.Network, tokens, Options(context, int.MaxValue, Bos), original.Pool);

        int n = expected.Count;
        Assert.Equal(n, result.Tokens.Count);
        for (int i = 0; i < n; i++)
        {
            Assert.Equal(expected[i].Kld, result.Tokens[i].Divergence, 2e-6 + 1e-4 * expected[i].Kld);
            Assert.Equal(Math.Log(expected[i].Base), result.Tokens[i].BaseLogProbability, 1e-4);
            Assert.Equal(Math.Log(expected[i].Variant), result.Tokens[i].LogProbability, 1e-4);
            Assert.Equal(expected[i].Same, result.Tokens[i].IsSameTop);
        }
        double[] ratios = [.. expected.Select(e => Math.Log(e.Base / e.Variant))], changes = [.. expected.Select(e => e.Variant - e.Base)];
        Assert.Equal(Math.Exp(ratios.Average()), result.Ratio.Value, 1e-4);
        Assert.Equal(Math.Exp(ratios.Average()) * StandardError(ratios), result.Ratio.Error, 1e-4);
        Assert.Equal(expected.Average(e => e.Kld), result.Mean.Value, 1e-5);
        Assert.Equal(StandardError([.. expected.Select(e => e.Kld)]), result.Mean.Error, 1e-5);
        Assert.Equal(changes.Average(), result.ProbabilityChange.Value, 1e-5);
        Assert.Equal(Math.Sqrt(changes.Average(c => c * c)), result.RmsProbabilityChange.Value, 1e-5);
        Assert.Equal(changes.Min(), result.ProbabilityChanges.Minimum, 1e-5);
        double same = expected.Count(e => e.Same) / (double)n;
        Assert.Equal(same, result.SameTop.Value, 1e-12);
        Assert.Equal(Math.Sqrt(same * (1 - same) / (n - 1)), result.SameTop.Error, 1e-12);
        Assert.Equal(Correlation([.. expected.Select(e => Math.Log(e.Base))], [.. expected.Select(e => Math.Log(e.Variant))]), result.Correlation, 1e-4);
    }

    [Fact]
    public void A_model_does_not_diverge_from_itself()
    {
        using LanguageModel one = SampleModel.Open("Q4_K_M"), other = SampleModel.Open("Q4_K_M");
        DivergenceResult result = DivergenceMeasurement.Measure(one.Network, other.Network, Text(64), Options(64, 1), one.Pool);
        Assert.Equal(0, result.Divergences.Maximum);
        Assert.Equal(1, result.SameTop.Value);
        Assert.Equal(1, result.Ratio.Value);
        Assert.Equal(1, result.Correlation);
        Assert.Equal(0, result.RmsProbabilityChange.Value);
    }

    [Fact]
    public void The_result_does_not_depend_on_threads_and_perplexities_are_those_of_the_perplexity_measurement()
    {
        List<DivergenceResult> results = [];
        foreach (int threads in new[] { 1, 3 })
        {
            using LanguageModel one = SampleModel.Open("F32", threads), other = SampleModel.Open("Q3_K_S");
            results.Add(DivergenceMeasurement.Measure(one.Network, other.Network, Text(200), Options(100, 2), one.Pool));
            Assert.Equal(PerplexityMeasurement.Measure(other.Network, Text(200), Options(100, 2), other.Pool).Perplexity, results[^1].Perplexity.Perplexity, 1e-5);
        }
        Assert.Equal(results[0].Tokens, results[1].Tokens);
    }

    /// <summary>Places worked out by hand: the share q lies at q (n - 1) of the sorted values.</summary>
    [Fact]
    public void Percentiles_lie_between_values()
    {
        Percentiles values = new([40, 10, 30, 20]);
        Assert.Equal(10, values.At(0));
        Assert.Equal(25, values.Median);
        Assert.Equal(37, values.At(0.9), 1e-12);
        Assert.Equal(40, values.At(1));
        Assert.Equal(7, new Percentiles([7]).At(0.99));
    }

    private static int[] Text(int length) => [.. Enumerable.Range(0, length).Select(i => i * 31 % 4000)];

    private static double[][] Distributions(LanguageModel model, int[] window)
    {
        using Session session = model.CreateSession(window.Length);
        Activations logits = session.Append(window, 0);
        return [.. Enumerable.Range(0, window.Length).Select(i =>
        {
            double[] powers = [.. logits.Read(i).ToArray().Select(x => Math.Exp((double)x))];
            double sum = powers.Sum();
            return (double[])[.. powers.Select(power => power / sum)];
        })];
    }

    private static double StandardError(double[] values)
    {
        double mean = values.Average();
        return Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / values.Length / (values.Length - 1));
    }

    private static double Correlation(double[] x, double[] y)
    {
        double mx = x.Average(), my = y.Average();
        return x.Zip(y, (a, b) => (a - mx) * (b - my)).Sum() / Math.Sqrt(x.Sum(a => (a - mx) * (a - mx)) * y.Sum(b => (b - my) * (b - my)));
    }

    private static EvaluationOptions Options(int context, int windows, int? bos = null) => new() { ContextLength = context, Windows = windows, BeginningOfText = bos };
}
