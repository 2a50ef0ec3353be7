using System.Runtime.InteropServices;
using Nibble.Formats;

namespace Nibble.Tests.Formats;

public class I2_STests
{
    private static readonly WeightFormat s_format = WeightFormat.Of<I2_S>();

    [Fact]
    public void A_tensor_has_two_bits_a_weight_and_thirty_two_bytes_for_its_scale()
    {
        Assert.Equal((32, 128, 32), (s_format.BlockBytes, s_format.BlockSize, s_format.TailBytes));
        Assert.Equal(2560 * 6912 / 4 + 32, s_format.TensorBytes(2560 * 6912));
    }

    /// <summary>Against the arithmetic of bitnet.cpp's quantize_i2_s, written down anew: it walks over weights where the library walks over blocks.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_bytes_are_those_of_bitnet(bool isTernary)
    {
        Random random = new(11);
        float[] values = [.. Enumerable.Range(0, 3 * 256).Select(i => isTernary ? 0.731f * random.Next(-1, 2) : i % 7 == 0 ? 9e-7f : random.NextSingle() - 0.5f)];
        byte[] expected = new byte[values.Length / 4 + 32], actual = new byte[s_format.TensorBytes(values.Length)];
        double largest = values.Max(v => Math.Abs((double)v));
        for (int i = 0; i < values.Length; i++)
        {
            int number = Math.Abs((double)values[i]) < 1e-6 ? 1 : values[i] * largest > 0 ? 2 : 0;
            expected[i / 128 * 32 + i % 128 % 32] |= (byte)(number << (6 - 2 * (i % 128 / 32)));
        }
        MemoryMarshal.Write(expected.AsSpan(values.Length / 4), (float)largest);
        s_format.Quantize(values, [], actual);
        Assert.Equal(expected, actual);

        float[] back = new float[values.Length];
        s_format.Dequantize(actual, back);
        if (isTernary) Assert.Equal(values, back);
        else Assert.Equal(values.Select(v => Math.Abs(v) < 1e-6f ? 0 : MathF.Sign(v) * (float)largest), back);
    }

    [Fact]
    public void Dot_is_the_sum_of_the_products_of_the_dequantized_values_with_and_without_vectors()
    {
        Random random = new(4);
        for (int count = 0; count < 9; count++)
        {
            I2_STail tail = new() { Scale = random.NextSingle() };
            I2_S[] weights = new I2_S[count];
            random.NextBytes(MemoryMarshal.AsBytes(weights.AsSpan())); // threes too, which no good file has
            float[] source = [.. Enumerable.Range(0, count * 128).Select(_ => random.NextSingle() * 20 - 10)], w = new float[source.Length], x = new float[source.Length];
            Q8_0[] activations = new Q8_0[count * 4];
            Q8_0.Quantize(source, activations);
            Q8_0.Dequantize(activations, x);
            I2_S.Dequantize(weights, in tail, w);
            double expected = w.Zip(x, (a, b) => (double)a * b).Sum(), size = w.Zip(x, (a, b) => Math.Abs((double)a * b)).Sum();
            using GuardedMemory<I2_S> guardedWeights = new(weights);
            using GuardedMemory<Q8_0> guardedActivations = new(activations);
            foreach (float actual in new[] { I2_S.DotScalar(weights, activations, in tail), I2_S.Dot(guardedWeights.Span, guardedActivations.Span, in tail) })
                Assert.InRange(actual, expected - 1e-6 * size, expected + 1e-6 * size);
        }
    }

    [Fact]
    public void Each_layout_has_its_weights_where_bitnet_puts_them()
    {
        // Weight 77 of a row of 256: on x86 in byte 13 of the first block, on Arm in byte 13 of the second, with four rows in byte 77.
        Assert.Equal([(13, 2)], Places(I2_SLayout.X86, 77, 0));
        Assert.Equal([(16 + 13, 6)], Places(I2_SLayout.Arm, 77, 0));
        Assert.Equal([(77, 2)], Places(I2_SLayout.Rows4, 77, 2));
        // Weight 200.
        Assert.Equal([(32 + 8, 2)], Places(I2_SLayout.X86, 200, 0));
        Assert.Equal([(48 + 8, 6)], Places(I2_SLayout.Arm, 200, 0));

        static List<(int Byte, int Shift)> Places(I2_SLayout layout, int weight, int row)
        {
            byte[] numbers = new byte[256], data = new byte[256];
            numbers[weight] = 3;
            layout.Pack(numbers, row, data);
            return [.. data.Index().Where(b => b.Item != 0).Select(b => (b.Index, System.Numerics.BitOperations.TrailingZeroCount(b.Item)))];
        }
    }

    [Theory]
    [InlineData("x86")]
    [InlineData("ARM")]
    [InlineData("rows4")]
    public void Packing_and_unpacking_are_inverse(string name)
    {
        Assert.True(I2_SLayout.TryParse(name, out I2_SLayout? layout));
        Random random = new(2);
        byte[] data = new byte[96 * layout.RowsTogether];
        byte[][] rows = [.. Enumerable.Range(0, layout.RowsTogether).Select(_ => Enumerable.Range(0, 384).Select(_ => (byte)random.Next(3)).ToArray())];
        foreach ((int row, byte[] numbers) in rows.Index()) layout.Pack(numbers, row, data);
        foreach ((int row, byte[] numbers) in rows.Index())
        {
            byte[] back = new byte[384];
            layout.Unpack(data, row, back);
            Assert.Equal(numbers, back);
        }
    }
}
