using Nibble.Formats;
using Nibble.Kernels;
using Nibble.Memory;

namespace Nibble.Tests.Kernels;

public class WeightMatrixTests
{
    public static TheoryData<string> Formats => [.. WeightFormat.All.Select(f => f.Name)];

    [Theory]
    [MemberData(nameof(Formats))]
    public void A_product_is_that_of_the_dequantized_weights(string name)
    {
        foreach ((int rows, int columns, int tokens) in new[] { (1, 256, 1), (37, 512, 3), (16, 256, 5), (17, 768, 2) })
        {
            using AlignedBuffer data = Weights(name, rows, columns, out WeightFormat format, out float[] values);
            WeightMatrix matrix = WeightMatrix.Create(format, data.Region, rows, columns);
            float[] x = Random(tokens * columns, rows + columns);
            using Activations input = new(columns), result = new(rows);
            float[]? first = null;
            foreach (int threads in new[] { 1, 2, 3 })
            {
                using WorkerPool pool = new(threads);
                Fill(input, x, tokens);
                matrix.Multiply(input, result, pool);
                float[] y = [.. Enumerable.Range(0, tokens).SelectMany(t => result.Read(t).ToArray())];
                Assert.Equal(first ??= y, y);
            }
            for (int t = 0; t < tokens; t++)
            {
                for (int row = 0; row < rows; row++)
                {
                    double exact = 0, squares = 0;
                    for (int c = 0; c < columns; c++)
                    {
                        double product = (double)values[row * columns + c] * x[t * columns + c];
                        (exact, squares) = (exact + product, squares + product * product);
                    }
                    // Activations in 8 bits: an error of at most 1/2 in 127 of the block's largest in each term, of either sign. Single precision has hardly any.
                    double each = format.BlockSize == 1 ? 1e-5 : 0.01;
                    Assert.InRange(first![t * rows + row] - exact, -6 * each * Math.Sqrt(squares), 6 * each * Math.Sqrt(squares));
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void A_row_is_read_as_it_dequantizes(string name)
    {
        using AlignedBuffer data = Weights(name, 5, 512, out WeightFormat format, out float[] values);
        WeightMatrix matrix = WeightMatrix.Create(format, data.Region, 5, 512);
        float[] row = new float[512];
        for (int r = 0; r < 5; r++)
        {
            matrix.ReadRow(r, row);
            Assert.Equal(values[(r * 512)..((r + 1) * 512)], row);
        }
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void A_released_matrix_frees_its_memory_when_nobody_reads_it_and_throws(string name)
    {
        using AlignedBuffer data = Weights(name, 5, 512, out WeightFormat format, out _);
        WeightMatrix matrix = WeightMatrix.Create(format, data.Region, 5, 512);
        using WorkerPool pool = new(1);
        using Activations input = new(512), result = new(5);
        Fill(input, Random(512, 1), 1);
        matrix.Multiply(input, result, pool);
        long bytes = matrix.OwnBytes;
        if (format.Name is "F32" or "F16" or "BF16") Assert.Equal(data.Length, bytes); // these are always copied
        matrix.Hold();
        matrix.Release();
        matrix.Release();
        Assert.Equal(bytes, matrix.OwnBytes); // as while a product is at work
        matrix.LetGo();
        Assert.Equal(0, matrix.OwnBytes);
        Assert.Throws<ObjectDisposedException>(() => matrix.Multiply(input, result, pool));
        Assert.Throws<ObjectDisposedException>(() => matrix.ReadRow(0, new float[512]));
    }

    [Fact]
    public void Changed_inputs_are_stored_anew()
    {
        using AlignedBuffer data = Weights("Q8_0", 9, 256, out WeightFormat format, out _);
        WeightMatrix matrix = WeightMatrix.Create(format, data.Region, 9, 256);
        using WorkerPool pool = new(1);
        using Activations input = new(256), fresh = new(256), result = new(9), expected = new(9);
        Fill(input, Random(256, 1), 1);
        matrix.Multiply(input, result, pool);
        Random(256, 2).CopyTo(input.Write(0));
        matrix.Multiply(input, result, pool);
        Fill(fresh, Random(256, 2), 1);
        matrix.Multiply(fresh, expected, pool);
        Assert.Equal(expected.Read(0), result.Read(0));
    }

    [Fact]
    public void Sizes_that_do_not_fit_are_refused()
    {
        using AlignedBuffer data = Weights("Q4_K", 4, 256, out WeightFormat format, out _);
        Assert.Throws<ArgumentException>(() => WeightMatrix.Create(format, data.Region, 5, 256));
        Assert.Throws<ArgumentException>(() => WeightMatrix.Create(format, data.Region, 8, 128));
        using Activations wide = new(512), result = new(4);
        using WorkerPool pool = new(1);
        Assert.Throws<ArgumentException>(() => WeightMatrix.Create(format, data.Region, 4, 256).Multiply(wide, result, pool));
    }

    private static AlignedBuffer Weights(string name, int rows, int columns, out WeightFormat format, out float[] values)
    {
        Assert.True(WeightFormat.TryParse(name, out WeightFormat? found));
        format = found;
        AlignedBuffer data = new(format.TensorBytes((long)rows * columns));
        float[] importance = format.NeedsImportance ? [.. Enumerable.Repeat(1f, columns)] : [];
        format.Quantize(Random(rows * columns, 5), importance, data.AsSpan<byte>(0, (int)data.Length));
        values = new float[rows * columns];
        format.Dequantize(data.AsSpan<byte>(0, (int)data.Length), values);
        return data;
    }

    private static void Fill(Activations input, float[] values, int tokens)
    {
        input.Resize(tokens);
        for (int t = 0; t < tokens; t++) values.AsSpan(t * input.Columns, input.Columns).CopyTo(input.Write(t));
    }

    private static float[] Random(int count, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => 2 * random.NextSingle() - 1)];
    }
}
