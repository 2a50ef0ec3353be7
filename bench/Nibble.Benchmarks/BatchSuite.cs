using System.Diagnostics;
using Nibble.Generation;
using Nibble.Models;

namespace Nibble.Benchmarks;

/// <summary>
/// Generating several texts together, token by token. The numbers of texts take turns, so that whatever else the machine does slows all
/// of them alike, and the best time of each counts.
/// </summary>
internal static class BatchSuite
{
    private const int PromptTokens = 32, Steps = 8, Rounds = 6;

    private static readonly int[] s_counts = [1, 2, 4, 8];

    public static void Run(string path, int threads)
    {
        using LanguageModel model = LanguageModel.Open(path, threads);
        Session[] sessions = [.. Enumerable.Range(0, s_counts[^1]).Select(_ => model.CreateSession(PromptTokens + Steps))];
        using SessionBatch batch = model.CreateBatch();
        Random random = new(1);
        int[] tokens = [.. Enumerable.Range(0, PromptTokens + Steps).Select(_ => random.Next(model.Network.VocabularySize))];
        double[] best = [.. s_counts.Select(_ => double.MaxValue)];
        for (int round = 0; round <= Rounds; round++)
        {
            for (int c = 0; c < s_counts.Length; c++)
            {
                double seconds = Time(batch, sessions.AsSpan(0, s_counts[c]), tokens);
                if (round > 0) best[c] = Math.Min(best[c], seconds); // the first round compiles, and packs the weights
            }
        }
        Report.Start($"batch {Path.GetFileName(path)} {threads}", "texts", "ms per step", "tokens/s", "as one after the other");
        for (int c = 0; c < s_counts.Length; c++)
            Report.Row($"{s_counts[c]}", Report.Number(best[c] * 1e3, 1), Report.Number(s_counts[c] / best[c], 1), $"{Report.Number(100 * best[c] / (s_counts[c] * best[0]), 0)} %");
        foreach (Session session in sessions) session.Dispose();
    }

    /// <summary>Seconds of one step, in which each text goes on by a token.</summary>
    private static double Time(SessionBatch batch, ReadOnlySpan<Session> sessions, int[] tokens)
    {
        foreach (Session session in sessions)
        {
            session.Truncate(0);
            session.Append(tokens.AsSpan(0, PromptTokens));
        }
        SessionTokens[] next = new SessionTokens[sessions.Length];
        long start = Stopwatch.GetTimestamp();
        for (int step = 0; step < Steps; step++)
        {
            for (int i = 0; i < next.Length; i++) next[i] = new(sessions[i], tokens.AsMemory(PromptTokens + step, 1));
            batch.Append(next);
        }
        return Stopwatch.GetElapsedTime(start).TotalSeconds / Steps;
    }
}
