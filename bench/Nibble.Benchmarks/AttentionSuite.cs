using Nibble.Formats;
using Nibble.Kernels;
using Nibble.Memory;
using Nibble.Models;

namespace Nibble.Benchmarks;

/// <summary>
/// Attention of one layer on one thread, in the shape of a model of a billion weights (32 query heads, 4 key heads of 64) and of one of
/// eight billion (32 query heads, 8 key heads of 128): the tokens of a prompt, and some or one after a long text. A product is one
/// multiplication and addition, of which a query and a key it sees have twice as many as a head has values.
/// </summary>
internal static unsafe class AttentionSuite
{
    public static void Run()
    {
        Report.Start("attention", "shape", "tokens", "after", "cache", "µs", "10^9 products/s");
        foreach ((int heads, int keyHeads, int size) in new[] { (32, 4, 64), (32, 8, 128) })
            foreach ((int tokens, int first) in new[] { (256, 0), (16, 4096), (1, 4096) })
                foreach (WeightFormat format in CacheOptions.Formats)
                {
                    double seconds = Time(heads, keyHeads, size, tokens, first, format);
                    double products = 2.0 * heads * size * Enumerable.Range(first + 1, tokens).Sum(seen => (double)seen);
                    Report.Row($"{heads} / {keyHeads} x {size}", $"{tokens}", $"{first}", format.Name, Report.Number(seconds * 1e6, 0), Report.Number(products / seconds / 1e9, 1));
                }
    }

    private static double Time(int heads, int keyHeads, int size, int tokens, int first, WeightFormat format)
    {
        Random random = new(1);
        int length = first + tokens;
        float[] queries = Floats(tokens * heads * size), result = new float[queries.Length];
        using AlignedBuffer keys = Stored(), values = Stored();
        using WorkerPool pool = new(1);
        using AttentionPlan plan = new();
        plan.Add(0, tokens, first);
        plan.Place(0, keys.Pointer, keys.Length / keyHeads, values.Pointer, values.Length / keyHeads);
        fixed (float* q = queries, r = result)
        {
            AttentionKernel kernel = new()
            {
                Plan = plan,
                Queries = q,
                Result = r,
                KeyFormat = format,
                ValueFormat = format,
                QueryHeads = heads,
                KeyHeads = keyHeads,
                HeadSize = size,
                Window = int.MaxValue,
                Scale = 1 / MathF.Sqrt(size),
            };
            return Measure.Best(() => kernel.Run(pool), rounds: 30);
        }

        AlignedBuffer Stored()
        {
            float[] numbers = Floats(keyHeads * length * size);
            AlignedBuffer buffer = new(format.ByteSize(numbers.Length));
            format.Quantize(numbers, [], buffer.AsSpan<byte>(0, (int)buffer.Length));
            return buffer;
        }

        float[] Floats(int count) => [.. Enumerable.Range(0, count).Select(_ => 2 * random.NextSingle() - 1)];
    }
}
