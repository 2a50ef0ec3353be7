using Nibble.Evaluation;
using Nibble.Generation;

namespace Nibble.Tests.Evaluation;

public class SpeedMeasurementTests
{
    /// <summary>Weights of the sample model that a token passes: four layers of attention (256 by 256 and 256 by 128, twice each) and feed-forward (three of 256 by 768), and the output of 4,096 rows.</summary>
    private const long LayerWeights = 4 * (2 * 256 * 256 + 2 * 256 * 128 + 3 * 256 * 768), HeadWeights = 256 * 4096;

    [Theory]
    [InlineData("F16", true)]
    [InlineData("Q8_0", false)]
    public void Work_is_counted(string level, bool repack)
    {
        using LanguageModel model = LanguageModel.Open(SampleModel.At(level), new ModelOptions { Threads = 1, PromptThreads = 2, Repack = repack });
        List<SpeedProgress> steps = [];
        SpeedReport report = SpeedMeasurement.Measure(model, new SpeedOptions { Prompts = [8, 40], Generated = 4, Repetitions = 3 }, new Progress(steps));
        Assert.Equal(["pp8", "pp40", "tg4"], report.Tests.Select(t => t.Test));
        Assert.Equal([8 * LayerWeights + HeadWeights, 40 * LayerWeights + HeadWeights, 4 * (LayerWeights + HeadWeights)], report.Tests.Select(t => t.MultiplyAdds));
        // Bytes of a block of 32: two for each weight, or one and a scale of two bytes.
        long bytes = (LayerWeights + HeadWeights) / 32 * (level == "F16" ? 64 : 34);
        Assert.Equal(4 * bytes, report.Tests[^1].WeightBytes);
        Assert.Equal([2, 2, 1], report.Tests.Select(t => t.Threads));
        foreach (SpeedResult test in report.Tests)
        {
            Assert.Equal(3, test.Rates.Count);
            Assert.True(0 < test.Min && test.Min <= test.Median && test.Median <= test.Max);
            Assert.Equal(test.Test[0] == 't', test.IsGeneration);
            Assert.Equal(test.IsGeneration, test.ShareOfBandwidth > 0);
        }
        Assert.Equal(level, Assert.Single(report.Kernels).Format);
        Assert.Equal((29, LayerWeights + HeadWeights, bytes), (report.Kernels[0].Matrices, report.Kernels[0].Weights, report.Kernels[0].Bytes));
        Assert.Equal(2 * bytes - LayerWeights * bytes / (LayerWeights + HeadWeights), report.WeightBytes); // the embedding is as large as the output
        Assert.True(report.ReadBandwidth > 1e8 && report.PeakMultiplyAdds > 1e8 && report.ResidentBytes > report.WeightBytes);
        Assert.Equal(1, steps[^1].Fraction);
        Assert.Equal(steps.Select(s => s.Fraction).Order(), steps.Select(s => s.Fraction));
    }

    [Fact]
    public void Generating_allocates_nothing()
    {
        using LanguageModel model = SampleModel.Open("Q4_K_M", 2);
        SpeedReport report = SpeedMeasurement.Measure(model, new SpeedOptions { Prompts = [], Generated = 16, Repetitions = 2 });
        Assert.Equal(0, Assert.Single(report.Tests).AllocatedBytes);
    }

    [Theory]
    [InlineData(0, 4, 1, "--prompt")]
    [InlineData(300, 4, 1, "256")]
    [InlineData(8, 300, 1, "256")]
    [InlineData(8, -1, 1, "--generate")]
    [InlineData(8, 4, 0, "--repetitions")]
    public void What_cannot_be_measured_is_refused(int prompt, int generated, int repetitions, string part)
    {
        using LanguageModel model = SampleModel.Open();
        SpeedOptions options = new() { Prompts = [prompt], Generated = generated, Repetitions = repetitions };
        Assert.Contains(part, Assert.Throws<NibbleException>(() => SpeedMeasurement.Measure(model, options)).Message, StringComparison.Ordinal);
        Assert.Throws<NibbleException>(() => SpeedMeasurement.Measure(model, new SpeedOptions { Prompts = [], Generated = 0 }));
        Assert.Throws<OperationCanceledException>(() => SpeedMeasurement.Measure(model, new SpeedOptions { Prompts = [4] }, cancellationToken: new CancellationToken(true)));
    }

    private sealed class Progress(List<SpeedProgress> steps) : IProgress<SpeedProgress>
    {
        public void Report(SpeedProgress value) => steps.Add(value);
    }
}
