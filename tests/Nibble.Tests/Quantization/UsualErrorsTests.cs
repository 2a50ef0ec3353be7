using Nibble.Formats;
using Nibble.Quantization;

namespace Nibble.Tests.Quantization;

public class UsualErrorsTests
{
    public static TheoryData<string> Formats => [.. WeightFormat.All.Select(f => f.Name)];

    /// <summary>I2_S is for weights that are ternary before: random ones are far beyond its usual error, and so suspicious.</summary>
    public static TheoryData<string> FormatsOfAllWeights => [.. WeightFormat.All.Select(f => f.Name).Where(name => name != "I2_S")];

    [Fact]
    public void Weights_that_are_not_ternary_are_suspicious_as_I2_S()
    {
        WeightFormat format = WeightFormat.Of<I2_S>();
        Assert.True(Measure(format, heavyTails: false) > UsualErrors.LimitOf(format));
    }

    [Theory]
    [MemberData(nameof(FormatsOfAllWeights))]
    public void Each_format_has_the_error_that_is_measured(string name)
    {
        Assert.True(WeightFormat.TryParse(name, out WeightFormat? format));
        double measured = Math.Max(Measure(format, heavyTails: false), Measure(format, heavyTails: true));
        Assert.InRange(measured, 0.9 * UsualErrors.Of(format), 1.1 * UsualErrors.Of(format));
        Assert.InRange(UsualErrors.LimitOf(format), measured, 0.95);
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Each_format_takes_values_that_are_no_numbers(string name)
    {
        Assert.True(WeightFormat.TryParse(name, out WeightFormat? format));
        float[] importance = new float[1024];
        Array.Fill(importance, 1);
        foreach (float value in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity })
        {
            float[] values = [.. Enumerable.Range(0, 1024).Select(i => i is 3 or > 600 ? value : MathF.Sin(i))];
            format.Quantize(values, format.NeedsImportance ? importance : [], new byte[format.TensorBytes(values.Length)]);
        }
    }

    /// <summary>The relative error of random values, of another seed and generator than those of the table's measurement.</summary>
    private static double Measure(WeightFormat format, bool heavyTails)
    {
        const int Columns = 1024;
        Random random = new(77);
        float[] values = new float[16 * Columns], result = new float[values.Length], importance = new float[Columns];
        Array.Fill(importance, 1);
        for (int i = 0; i < values.Length; i++)
        {
            double squares = 0;
            for (int k = 0; k < 5; k++) squares += Math.Pow(Normal(random), 2);
            values[i] = (float)(0.03 * Normal(random) / (heavyTails ? Math.Sqrt(squares / 5) : 1));
        }
        byte[] blocks = new byte[format.TensorBytes(values.Length)];
        format.Quantize(values, format.NeedsImportance ? importance : [], blocks);
        format.Dequantize(blocks, result);
        double error = values.Zip(result, (x, y) => ((double)x - y) * ((double)x - y)).Sum();
        return Math.Sqrt(error / values.Sum(x => (double)x * x));
    }

    private static double Normal(Random random)
    {
        double sum = 0;
        for (int i = 0; i < 12; i++) sum += random.NextDouble();
        return sum - 6;
    }
}
