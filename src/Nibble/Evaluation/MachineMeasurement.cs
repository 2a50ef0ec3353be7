using System.Diagnostics;
using Nibble.Formats;
using Nibble.Kernels;
using Nibble.Memory;

namespace Nibble.Evaluation;

/// <summary>What the machine can do at best, short of any model: each is measured in well under a second, and is the best of several rounds where nothing else is said.</summary>
public static class MachineMeasurement
{
    /// <summary>The first rounds run code that is not compiled well yet; a busy machine would get no further.</summary>
    private const int FewestRounds = 8;

    private static readonly TimeSpan s_longest = TimeSpan.FromMilliseconds(300);

    /// <summary>Bytes per second that the threads of a pool read from memory together.</summary>
    /// <exception cref="NibbleException">There is not enough memory for a buffer that no cache holds.</exception>
    public static double ReadBandwidth(WorkerPool pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        using MemoryReader reader = new(pool);
        return reader.Bytes / Best(reader.Read);
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

    /// <summary>Bytes per second that memory delivers just now, on average over some rounds, to compare with what else is an average.</summary>
    internal static double ReadBandwidth(MemoryReader reader)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < FewestRounds; i++) reader.Read();
        return FewestRounds * reader.Bytes / Stopwatch.GetElapsedTime(start).TotalSeconds;
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
}
