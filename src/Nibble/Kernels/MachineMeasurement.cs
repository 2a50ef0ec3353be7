using System.Diagnostics;
using System.Runtime.Intrinsics;
using Nibble.Kernels.Panels;
using Nibble.Memory;

namespace Nibble.Kernels;

/// <summary>What a machine allows: how fast threads read memory, and how many 8-bit multiply-adds they do. The best of several runs counts.</summary>
public static unsafe class MachineMeasurement
{
    private const int Rounds = 5;

    /// <summary>Bytes per second that the threads read together from a buffer that no cache holds.</summary>
    public static double ReadBandwidth(WorkerPool pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        const long Bytes = 256L << 20;
        const int Portion = 1 << 18;
        using AlignedBuffer buffer = AlignedBuffer.ForStreaming(Bytes);
        pool.Run(new WriteWork(buffer.Pointer, Portion), (int)(Bytes / Portion));
        return Bytes / Best(() => pool.Run(new ReadWork(buffer.Pointer, Portion), (int)(Bytes / Portion)));
    }

    /// <summary>Multiply-adds per second that the threads do together with 16 rows of bytes, which stay in the caches, and 8 tokens.</summary>
    public static double PeakMultiplyAdds(WorkerPool pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        const int Columns = 2048, Repeats = 400;
        PanelShape shape = new(32, 256, HasOffsets: false);
        int items = 4 * pool.Threads;
        return (double)items * Repeats * Columns * RowPanel.Rows * TokenTiles.Tokens / Best(() => pool.Run(new MultiplyWork(shape, Columns, Repeats), items));
    }

    private static double Best(Action run)
    {
        double best = double.MaxValue;
        for (int round = 0; round < Rounds; round++)
        {
            long start = Stopwatch.GetTimestamp();
            run();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        return best;
    }

    private readonly struct WriteWork(byte* buffer, int portion) : IWork
    {
        public void Run(int start, int end) => new Span<byte>(buffer + (long)start * portion, (end - start) * portion).Fill(1);
    }

    private readonly struct ReadWork(byte* buffer, int portion) : IWork
    {
        public void Run(int start, int end)
        {
            Vector256<long> sum0 = default, sum1 = default, sum2 = default, sum3 = default;
            long* first = (long*)(buffer + (long)start * portion), last = (long*)(buffer + (long)end * portion);
            for (long* at = first; at < last; at += 16)
            {
                sum0 += Vector256.Load(at);
                sum1 += Vector256.Load(at + 4);
                sum2 += Vector256.Load(at + 8);
                sum3 += Vector256.Load(at + 12);
            }
            if (Vector256.Sum(sum0 + sum1 + sum2 + sum3) == 0) throw new InvalidOperationException("the buffer was not filled");
        }
    }

    private readonly struct MultiplyWork(PanelShape shape, int columns, int repeats) : IWork
    {
        public void Run(int start, int end)
        {
            byte* memory = ThreadScratch.Take(64L * columns + 4096);
            new Span<byte>(memory, 64 * columns + 4096).Clear();
            PanelArguments arguments = new()
            {
                Weights = memory,
                Scales = (float*)memory,
                Tokens = (sbyte*)(memory + 16L * columns),
                TokenScales = (float*)memory,
                NegatedSums = (int*)memory,
                Result = (float*)(memory + 32L * columns),
                ResultStride = RowPanel.Rows * sizeof(float),
                Blocks = columns / shape.Block,
            };
            for (int i = 0; i < (end - start) * repeats; i++)
            {
                if (VnniKernel.TryGet(shape, out VnniKernel vnni)) vnni.Run(&arguments, TokenTiles.Tokens);
                else new Avx2Kernel(shape).Run(&arguments, TokenTiles.Tokens);
            }
        }
    }
}
