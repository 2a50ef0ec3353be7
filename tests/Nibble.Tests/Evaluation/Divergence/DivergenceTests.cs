using System.Globalization;
using System.Text.Json;
using Nibble.Evaluation;
using Nibble.Evaluation.Divergence;
using Nibble.Generation;
using Nibble.Quantization;

namespace Nibble.Tests.Evaluation.Divergence;

public class DivergenceTests
{
    /// <summary>
    /// Levels of different kinds; NIBBLE_TEST_ALL=1 takes all that need no importance matrix (those of the reference were made with one).
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

    private static EvaluationOptions Options(int context, int windows, int? bos = null) => new() { ContextLength = context, Windows = windows, BeginningOfText = bos };
}
