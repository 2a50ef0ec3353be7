using Nibble.Kernels;

namespace Nibble.Tests.Kernels;

/// <summary>Frequencies against the formulas as the models' own code in the transformers library writes them, in double precision.</summary>
public class RopeFrequenciesTests
{
    private const double Relative = 3e-6;

    [Theory]
    [InlineData(64, 10_000)]
    [InlineData(128, 500_000)]
    [InlineData(6, 1_000_000)]
    public void Plain_is_a_geometric_series(int dimensions, double frequencyBase)
    {
        float[] frequencies = RopeFrequencies.Plain(dimensions, frequencyBase);
        Assert.Equal(dimensions / 2, frequencies.Length);
        double step = Math.Pow(1 / frequencyBase, 2.0 / dimensions), expected = 1;
        foreach (float frequency in frequencies)
        {
            Near(expected, frequency);
            expected *= step;
        }
    }

    [Fact]
    public void Linear_divides_all()
    {
        float[] plain = RopeFrequencies.Plain(32, 10_000), scaled = RopeFrequencies.Linear(plain, 4);
        for (int i = 0; i < plain.Length; i++) Near(plain[i] / 4.0, scaled[i]);
    }

    [Fact]
    public void Divided_takes_a_factor_for_each_pair()
    {
        // Llama 3.1: factor 8, low 1, high 4, 8192 tokens, base 500,000, heads of 128. Long waves are stretched by 8, short ones stay.
        double[] expected = new double[64];
        float[] plain = RopeFrequencies.Plain(128, 500_000), factors = new float[64];
        for (int i = 0; i < 64; i++)
        {
            double frequency = Math.Pow(500_000, -i / 64.0), wave = 2 * Math.PI / frequency;
            double mix = (8192 / wave - 1) / (4 - 1);
            expected[i] = wave < 8192 / 4.0 ? frequency : wave > 8192 / 1.0 ? frequency / 8 : (1 - mix) * frequency / 8 + mix * frequency;
            factors[i] = (float)(frequency / expected[i]);
        }
        float[] frequencies = RopeFrequencies.Divided(plain, factors);
        Assert.Equal(1.0, factors[0]);
        Assert.Equal(8.0, factors[63], 1e-5);
        Assert.Contains(factors, f => f is > 1.5f and < 7);
        for (int i = 0; i < 64; i++) Near(expected[i], frequencies[i]);
    }

    [Theory]
    [InlineData(128, 1_000_000, 4, 32_768, 32, 1)] // Qwen2.5 and Qwen3 beyond 32,768 tokens
    [InlineData(64, 10_000, 16, 4_096, 32, 1)]
    [InlineData(96, 150_000, 32, 4_096, 32, 1)]
    [InlineData(64, 10_000, 40, 4_096, 32, 1)]
    [InlineData(32, 10_000, 8, 256, 16, 2)]
    public void Yarn_mixes_by_the_turns_within_the_original_text(int dimensions, double frequencyBase, double factor, int original, double fast, double slow)
    {
        float[] frequencies = RopeFrequencies.Yarn(RopeFrequencies.Plain(dimensions, frequencyBase), frequencyBase, factor, original, fast, slow);

        // find_correction_dim, find_correction_range and linear_ramp_factor of the paper's code.
        double low = Math.Max(Math.Floor(Dimension(fast)), 0), high = Math.Min(Math.Ceiling(Dimension(slow)), dimensions - 1);
        int mixed = 0;
        for (int i = 0; i < dimensions / 2; i++)
        {
            double extrapolated = 1 / Math.Pow(frequencyBase, 2.0 * i / dimensions), interpolated = extrapolated / factor;
            double kept = 1 - Math.Min(1, Math.Max(0, (i - low) / (high - low)));
            if (kept is > 0 and < 1) mixed++;
            Near(interpolated * (1 - kept) + extrapolated * kept, frequencies[i]);
        }
        Assert.True(mixed > 2);

        double Dimension(double turns) => dimensions * Math.Log(original / (turns * 2 * Math.PI)) / (2 * Math.Log(frequencyBase));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(0.5, 1)]
    [InlineData(4, 1.1386294361)]
    [InlineData(16, 1.2772588722)]
    public void Yarn_sharpens_attention(double factor, double expected) => Assert.Equal(expected, RopeFrequencies.YarnMagnitude(factor), 1e-6);

    private static void Near(double expected, float actual) => Assert.InRange(actual / expected, 1 - Relative, 1 + Relative);
}
