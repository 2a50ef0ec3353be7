using Nibble.Kernels;

namespace Nibble.Tests.Kernels;

/// <summary>Attention against its definition in double precision.</summary>
public unsafe class AttentionKernelTests
{
    [Theory]
    [InlineData(1, 1, 8, 1, 0, int.MaxValue)]
    [InlineData(4, 4, 64, 3, 40, int.MaxValue)]
    [InlineData(6, 2, 20, 5, 70, int.MaxValue)]
    [InlineData(8, 1, 128, 2, 31, int.MaxValue)]
    [InlineData(3, 3, 6, 40, 0, int.MaxValue)]
    [InlineData(4, 2, 10, 9, 64, 1)]
    [InlineData(4, 2, 16, 9, 64, 7)]
    [InlineData(4, 2, 16, 9, 64, 33)]
    [InlineData(4, 2, 16, 9, 3, 32)]
    public void Every_head_of_every_token_is_the_weighted_mean_of_values(int heads, int keyHeads, int size, int tokens, int first, int window)
    {
        Random random = new(heads * 1000 + size);
        int length = first + tokens, capacity = length + 5;
        float[] queries = Floats(tokens * heads * size, 1.5f), result = new float[queries.Length];
        Half[] keys = Array.ConvertAll(Floats(keyHeads * capacity * size, 1.5f), v => (Half)v), values = Array.ConvertAll(Floats(keyHeads * capacity * size, 1), v => (Half)v);
        double[] expected = Definition();

        foreach (int threads in new[] { 1, 3 })
        {
            float[] input = [.. queries];
            Array.Fill(result, float.NaN);
            using WorkerPool pool = new(threads);
            fixed (float* q = input, r = result)
            fixed (Half* k = keys, v = values)
            {
                AttentionKernel work = new()
                {
                    Queries = q,
                    Result = r,
                    Keys = k,
                    Values = v,
                    HeadStride = capacity * size,
                    QueryHeads = heads,
                    KeyHeads = keyHeads,
                    HeadSize = size,
                    Tokens = tokens,
                    FirstPosition = first,
                    Window = window,
                    Scale = 1 / MathF.Sqrt(size),
                };
                pool.Run(work, work.Items);
            }
            // Sums of up to 79 values below 4 in half precision.
            for (int i = 0; i < result.Length; i++) Assert.Equal(expected[i], result[i], 6e-3);
        }

        float[] Floats(int count, float size) => [.. Enumerable.Range(0, count).Select(_ => size * (2 * random.NextSingle() - 1))];

        double[] Definition()
        {
            double[] all = new double[queries.Length];
            for (int t = 0; t < tokens; t++)
            {
                for (int h = 0; h < heads; h++)
                {
                    int keyHead = h / (heads / keyHeads), at = (t * heads + h) * size;
                    int[] seen = [.. Enumerable.Range(0, length).Where(s => s <= first + t && first + t - s < window)];
                    double[] weights = [.. seen.Select(s => Math.Exp(Enumerable.Range(0, size)
                        .Sum(i => (double)(Half)queries[at + i] * (double)keys[(keyHead * capacity + s) * size + i]) / Math.Sqrt(size)))];
                    for (int i = 0; i < size; i++)
                        all[at + i] = seen.Zip(weights, (s, w) => w * (double)values[(keyHead * capacity + s) * size + i]).Sum() / weights.Sum();
                }
            }
            return all;
        }
    }

    [Fact]
    public void Scores_far_apart_neither_overflow_nor_vanish()
    {
        const int Size = 8;
        float[] queries = [.. Enumerable.Repeat(100f, Size)], result = new float[Size];
        Half[] keys = new Half[3 * Size], values = new Half[3 * Size];
        for (int i = 0; i < Size; i++) (keys[i], keys[Size + i], keys[2 * Size + i]) = ((Half)(-200), (Half)200, (Half)(-200));
        for (int i = 0; i < Size; i++) (values[i], values[Size + i], values[2 * Size + i]) = ((Half)1, (Half)2.5, (Half)3);
        fixed (float* q = queries, r = result)
        fixed (Half* k = keys, v = values)
        {
            new AttentionKernel
            {
                Queries = q,
                Result = r,
                Keys = k,
                Values = v,
                HeadStride = 3 * Size,
                QueryHeads = 1,
                KeyHeads = 1,
                HeadSize = Size,
                Tokens = 1,
                FirstPosition = 2,
                Window = 3,
                Scale = 1,
            }.Run(0, 1);
        }
        Assert.All(result, v => Assert.Equal(2.5f, v));
    }
}
