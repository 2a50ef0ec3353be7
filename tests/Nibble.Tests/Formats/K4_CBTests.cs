using System.Runtime.InteropServices;
using Nibble.Files;
using Nibble.Formats;

namespace Nibble.Tests.Formats;

public class K4_CBTests
{
    private static readonly WeightFormat s_format = WeightFormat.Of<K4_CB>();

    [Fact]
    public void A_block_has_half_a_byte_a_weight_and_two_for_the_scale()
    {
        Assert.Equal((130, 256, 16), (s_format.BlockBytes, s_format.BlockSize, s_format.TailBytes));
        Assert.Equal(3 * 130 + 16, s_format.TensorBytes(3 * 256));
        Assert.Equal("K4CB"u8, BitConverter.GetBytes(s_format.GgufType));
    }

    [Fact]
    public void Each_weight_is_its_level_times_the_scale()
    {
        SByte16 levels = Levels(k => (sbyte)(k * k - 100));
        K4_CB[] blocks = [new() { Scale = (Half)(-0.25f) }];
        for (int j = 0; j < 128; j++) blocks[0].Quants[j] = (byte)(j % 16 | (15 - j % 16) << 4);
        float[] values = new float[256];
        K4_CB.Dequantize(blocks, in levels, values);
        for (int i = 0; i < 256; i++)
        {
            int j = i % 32, k = i % 64 < 32 ? j % 16 : 15 - j % 16;
            Assert.Equal(-0.25f * (k * k - 100), values[i]);
        }
    }

    [Fact]
    public void Dot_is_the_sum_of_the_products_of_the_dequantized_values_with_and_without_vectors()
    {
        Random random = new(4);
        for (int count = 0; count < 6; count++)
        {
            SByte16 levels = Levels(_ => (sbyte)random.Next(-128, 128));
            K4_CB[] weights = new K4_CB[count];
            random.NextBytes(MemoryMarshal.AsBytes(weights.AsSpan()));
            foreach (ref K4_CB block in weights.AsSpan()) block.Scale = (Half)(random.NextSingle() - 0.5f);
            (Q8_K[] activations, float[] x) = Activations([.. Enumerable.Range(0, count * 256).Select(_ => random.NextSingle() * 20 - 10)]);
            float[] w = new float[count * 256];
            K4_CB.Dequantize(weights, in levels, w);
            double expected = w.Zip(x, (a, b) => (double)a * b).Sum(), size = w.Zip(x, (a, b) => Math.Abs((double)a * b)).Sum();
            using GuardedMemory<K4_CB> guardedWeights = new(weights);
            using GuardedMemory<Q8_K> guardedActivations = new(activations);
            foreach (float actual in new[] { K4_CB.DotScalar(weights, activations, in levels), K4_CB.Dot(guardedWeights.Span, guardedActivations.Span, in levels) })
                Assert.InRange(actual, expected - 1e-6 * size, expected + 1e-6 * size);
        }
    }

    [Theory]
    [InlineData(-128)]
    [InlineData(-127)]
    [InlineData(127)]
    public void Dot_holds_the_extremes(int level)
    {
        SByte16 levels = Levels(_ => (sbyte)level);
        foreach (int period in new[] { 1, 2, 32, 256 })
        {
            (Q8_K[] activations, _) = Activations([.. Enumerable.Range(0, 256).Select(i => i / period % 2 == 0 ? 127f : -127f)]);
            K4_CB[] weights = [new() { Scale = Half.One }];
            Assert.Equal(K4_CB.DotScalar(weights, activations, in levels), K4_CB.Dot(weights, activations, in levels));
        }
    }

    /// <summary>What learning the levels is for: on trained weights they beat the fixed ones of IQ4_NL in groups of the same size.</summary>
    [Fact]
    public void Learned_levels_have_less_error_than_fixed_ones_on_every_matrix_of_the_sample_model()
    {
        SByte16 nonLinear = default;
        IQ4_NL.Levels.CopyTo(nonLinear);
        using ModelFile file = ModelFile.Open(SampleModel.At("F32"));
        List<double> ratios = [];
        foreach (TensorInfo tensor in file.Tensors.Where(t => t.Dimensions.Count == 2 && t.Name.StartsWith("blk.", StringComparison.Ordinal)))
        {
            float[] values = MemoryMarshal.Cast<byte, float>(file.Read(tensor).AsSpan<byte>()).ToArray();
            SByte16 learned = K4_CB.Fit(new ValuesInMemory(values, []));
            double ratio = Error(values, [], in learned) / Error(values, [], in nonLinear);
            Assert.True(ratio < 1, $"{tensor.Name}: {ratio}");
            ratios.Add(ratio);
        }
        Assert.Equal(28, ratios.Count);
        Assert.InRange(ratios.Average(), 0.9, 0.985);
    }

    [Fact]
    public void Importance_moves_the_error_to_columns_that_do_not_matter()
    {
        float[] importance = [.. Enumerable.Range(0, 512).Select(i => i % 4 == 0 ? 100f : 0.01f)], values = Normal(512 * 64, 3);
        SByte16 even = K4_CB.Fit(new ValuesInMemory(values, [])), weighted = K4_CB.Fit(new ValuesInMemory(values, importance));
        double without = WeightedError(values, importance, Stored(values, [], in even)), with = WeightedError(values, importance, Stored(values, importance, in weighted));
        Assert.True(with < 0.95 * without, $"{with} is not below {without}");
    }

    [Fact]
    public void Weights_that_take_sixteen_values_are_kept()
    {
        Random random = new(9);
        float[] levels = [-1, -0.75f, -0.625f, -0.5f, -0.375f, -0.25f, -0.125f, 0, 0.125f, 0.25f, 0.3125f, 0.375f, 0.5f, 0.625f, 0.75f, 0.875f];
        float[] values = [.. Enumerable.Range(0, 256 * 40).Select(_ => 0.01f * levels[random.Next(16)])];
        SByte16 learned = K4_CB.Fit(new ValuesInMemory(values, []));
        Assert.InRange(Error(values, [], in learned), 0, 0.006); // levels are whole 127ths
    }

    [Theory]
    [InlineData(0.25f)]
    [InlineData(1024)]
    public void Scaling_the_weights_scales_the_result(float factor)
    {
        float[] values = Normal(256 * 30, 5), larger = [.. values.Select(v => v * factor)];
        SByte16 levels = K4_CB.Fit(new ValuesInMemory(values, [])), same = K4_CB.Fit(new ValuesInMemory(larger, []));
        Assert.Equal(((ReadOnlySpan<sbyte>)levels).ToArray(), ((ReadOnlySpan<sbyte>)same).ToArray());
        Assert.Equal(Stored(values, [], in levels).Select(v => v * factor), Stored(larger, [], in same));
    }

    [Fact]
    public void Levels_ascend_and_the_largest_is_127()
    {
        foreach (int seed in new[] { 1, 2, 3 })
        {
            SByte16 levels = K4_CB.Fit(new ValuesInMemory(Normal(256 * 20, seed), []));
            sbyte[] found = ((ReadOnlySpan<sbyte>)levels).ToArray();
            Assert.Equal(found.Distinct().Order(), found);
            Assert.Equal(127, found.Max(l => Math.Abs((int)l)));
        }
    }

    [Fact]
    public void Zeros_stay_zeros()
    {
        byte[] stored = new byte[s_format.TensorBytes(512)];
        float[] values = new float[512];
        s_format.Quantize(values, [], stored);
        Array.Fill(values, 1);
        s_format.Dequantize(stored, values);
        Assert.All(values, v => Assert.Equal(0, v));
    }

    private static SByte16 Levels(Func<int, sbyte> level)
    {
        SByte16 levels = default;
        for (int k = 0; k < 16; k++) levels[k] = level(k);
        return levels;
    }

    private static (Q8_K[] Blocks, float[] Values) Activations(float[] source)
    {
        Q8_K[] blocks = new Q8_K[source.Length / 256];
        float[] values = new float[source.Length];
        Q8_K.Quantize(source, blocks);
        Q8_K.Dequantize(blocks, values);
        return (blocks, values);
    }

    private static float[] Stored(float[] values, float[] importance, in SByte16 levels)
    {
        K4_CB[] blocks = new K4_CB[values.Length / 256];
        float[] result = new float[values.Length];
        int columns = importance.Length == 0 ? values.Length : importance.Length, perRow = columns / 256;
        for (int row = 0; row < values.Length / columns; row++) K4_CB.Quantize(values.AsSpan(row * columns, columns), importance, in levels, blocks.AsSpan(row * perRow, perRow));
        K4_CB.Dequantize(blocks, in levels, result);
        return result;
    }

    private static double Error(float[] values, float[] importance, in SByte16 levels) => WeightedError(values, importance, Stored(values, importance, in levels));

    private static double WeightedError(float[] values, float[] importance, float[] result)
    {
        double error = 0, size = 0;
        for (int i = 0; i < values.Length; i++)
        {
            double weight = importance.Length == 0 ? 1 : importance[i % importance.Length];
            error += weight * (values[i] - result[i]) * (values[i] - result[i]);
            size += weight * values[i] * values[i];
        }
        return Math.Sqrt(error / size);
    }

    private static float[] Normal(int count, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)(0.02 * (Enumerable.Range(0, 12).Sum(_ => random.NextDouble()) - 6)))];
    }
}
