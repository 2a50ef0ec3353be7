using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Nibble.Formats;
using Nibble.Kernels;
using Nibble.Memory;

namespace Nibble.Evaluation;

/// <summary>What the machine can do at best, short of any model: each is measured in well under a second and is the best of several rounds.</summary>
public static unsafe class MachineMeasurement
{
    /// <summary>Larger than caches are; less where the machine has little memory.</summary>
    private const long BufferBytes = 512 << 20;

    private const int ChunkBytes = 1 << 20;

    /// <summary>The first rounds run code that is not compiled well yet; a busy machine would get no further.</summary>
    private const int FewestRounds = 8;

    private static readonly TimeSpan s_longest = TimeSpan.FromMilliseconds(300);

    /// <summary>Bytes per second that the threads of a pool read from memory together.</summary>
    /// <exception cref="NibbleException">There is not enough memory for a buffer that no cache holds.</exception>
    public static double ReadBandwidth(WorkerPool pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        long bytes = Math.Max(ChunkBytes, Math.Min(BufferBytes, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 8) / ChunkBytes * ChunkBytes);
        using AlignedBuffer buffer = AlignedBuffer.ForStreaming(bytes);
        int chunks = (int)(bytes / ChunkBytes);
        // Pages that nobody has written are all the same one.
        pool.Run(new WriteWork(buffer.Pointer), chunks);
        return bytes / Best(() => pool.Run(new ReadWork(buffer.Pointer), chunks));
    }

    /// <summary>
    /// Multiply-adds per second of the threads of a pool together, in the caches: the product of ternary weights, which need the least
    /// work beside them, and many tokens.
    /// </summary>
    public static double PeakMultiplyAdds(WorkerPool pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        const int Columns = 2048, Tokens = 128, RowsPerThread = 16 * WeightMatrix.RowsPerTile;
        int rows = RowsPerThread * pool.Threads;
        Random random = new(1);
        float[] row = [.. Enumerable.Range(0, Columns).Select(_ => random.NextSingle() - 0.5f)];
        WeightFormat format = WeightFormat.Of<TQ2_0>();
        int rowBytes = (int)format.ByteSize(Columns);
        using AlignedBuffer weights = new((long)rows * rowBytes);
        for (int r = 0; r < rows; r++) format.Quantize(row, [], weights.AsSpan<byte>((long)r * rowBytes, rowBytes));
        WeightMatrix matrix = WeightMatrix.Create(format, weights.Region, rows, Columns);
        using Activations input = new(Columns), result = new(rows);
        input.Resize(Tokens);
        for (int t = 0; t < Tokens; t++) row.CopyTo(input.Write(t));
        return (double)rows * Columns * Tokens / Best(() => matrix.Multiply(input, result, pool));
    }

    /// <summary>Seconds that the fastest round takes.</summary>
    private static double Best(Action round)
    {
        double best = double.MaxValue;
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < FewestRounds || Stopwatch.GetElapsedTime(start) < s_longest; i++)
        {
            long begin = Stopwatch.GetTimestamp();
            round();
            best = Math.Min(best, Stopwatch.GetElapsedTime(begin).TotalSeconds);
        }
        return best;
    }

    private readonly struct WriteWork(byte* buffer) : IWork
    {
        public void Run(int start, int end) => new Span<byte>(buffer + (long)start * ChunkBytes, checked((end - start) * ChunkBytes)).Fill(1);
    }

    private readonly struct ReadWork(byte* buffer) : IWork
    {
        public void Run(int start, int end)
        {
            for (int chunk = start; chunk < end; chunk++) Read(buffer + (long)chunk * ChunkBytes);
        }

        /// <summary>Compiled well at once, for it runs too briefly to be compiled again.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        private static ulong Read(byte* bytes)
        {
            Vector256<ulong> a = default, b = default, c = default, d = default;
            for (byte* end = bytes + ChunkBytes; bytes < end; bytes += 128)
            {
                a |= Vector256.Load((ulong*)bytes);
                b |= Vector256.Load((ulong*)bytes + 4);
                c |= Vector256.Load((ulong*)bytes + 8);
                d |= Vector256.Load((ulong*)bytes + 12);
            }
            return Vector256.Sum(a | b | c | d);
        }
    }
}
