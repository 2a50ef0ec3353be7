using System.Diagnostics;

namespace Nibble.Benchmarks;

internal static class Measure
{
    private static readonly TimeSpan s_round = TimeSpan.FromMilliseconds(10), s_warm = TimeSpan.FromMilliseconds(400);

    /// <summary>
    /// Seconds that one call takes: the best of <paramref name="rounds"/> rounds, since whatever else the machine does only makes it slower;
    /// short ones, of which it leaves some alone.
    /// </summary>
    public static double Best(Action action, int rounds = 50)
    {
        Stopwatch warm = Stopwatch.StartNew();
        long calls = 0;
        while (warm.Elapsed < s_warm || calls < 32) // long enough for the last tier of the JIT
        {
            action();
            calls++;
        }
        long perRound = Math.Max(1, (long)(calls * (s_round / warm.Elapsed)));
        double best = double.MaxValue;
        for (int round = 0; round < rounds; round++)
        {
            long start = Stopwatch.GetTimestamp();
            for (long i = 0; i < perRound; i++) action();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds / perRound);
        }
        return best;
    }
}
