using System.Diagnostics;
using Nibble.Evaluation.Divergence;
using Nibble.Generation;
using Nibble.Kernels;

namespace Nibble.Evaluation.Comparison.Running;

/// <summary>
/// Measures several variants against one base that reads the text once for all of them: base and variants stream over the text
/// together, a window at a time, as many variants as memory holds.
/// </summary>
internal static class DivergenceStage
{
    /// <summary>The share of the memory that is available which models may take.</summary>
    private const double UsableMemory = 0.8;

    /// <summary>How long what was read waits before it is kept, as long as nobody stops the run.</summary>
    private static readonly TimeSpan s_keepEvery = TimeSpan.FromSeconds(1);

    /// <summary>Splits variants into groups of which each fits into memory together with the base; one variant always does.</summary>
    /// <param name="baseBytes">Bytes that the base takes.</param>
    /// <param name="variantBytes">Bytes that each variant takes.</param>
    /// <param name="available">Bytes that may be taken; <see langword="null"/> where the system does not say.</param>
    /// <returns>The indices of the variants of each group.</returns>
    public static IReadOnlyList<IReadOnlyList<int>> Groups(long baseBytes, IReadOnlyList<long> variantBytes, long? available)
    {
        double room = available is { } bytes ? UsableMemory * bytes - baseBytes : double.PositiveInfinity;
        List<List<int>> groups = [];
        double left = 0;
        for (int v = 0; v < variantBytes.Count; v++)
        {
            if (groups.Count == 0 || variantBytes[v] > left)
            {
                groups.Add([]);
                left = room;
            }
            groups[^1].Add(v);
            left -= variantBytes[v];
        }
        return groups;
    }

    /// <summary>Reads what the variants lack of the text. What is read is kept every second or so, and when it is stopped.</summary>
    /// <param name="reference">The base.</param>
    /// <param name="variants">The variants, open, with what is kept of each.</param>
    /// <param name="tokens">The text.</param>
    /// <param name="windows">All windows to read.</param>
    /// <param name="options">What they were made of.</param>
    /// <param name="read">Told after each window how many windows are read, and how many models read it.</param>
    /// <param name="kept">Told when what was read is kept.</param>
    /// <param name="cancellationToken">Stops within a window.</param>
    public static void Read(LanguageModel reference, IReadOnlyList<(LanguageModel Model, KeptDivergence Kept)> variants, ReadOnlyMemory<int> tokens, IReadOnlyList<EvaluationWindow> windows,
        EvaluationOptions options, Action<int, int> read, Action kept, CancellationToken cancellationToken)
    {
        while (variants.Min(v => v.Kept.Windows) is int first && first < windows.Count)
        {
            // Those that are furthest back, up to where the next one is.
            (LanguageModel Model, KeptDivergence Kept)[] behind = [.. variants.Where(v => v.Kept.Windows == first)];
            int end = variants.Select(v => v.Kept.Windows).Where(w => w > first).DefaultIfEmpty(windows.Count).Min();
            EvaluationWindow[] part = [.. windows.Take(end).Skip(first)];
            Fan fan = new([.. behind.Select(_ => new DivergenceCollector(new DivergenceMeasurement.Pairs(), part, null))]);
            int finished = 0;
            long last = Stopwatch.GetTimestamp();
            try
            {
                EvaluationLoop.Run([EvaluatedModel.Of(reference), .. behind.Select(v => EvaluatedModel.Of(v.Model))], tokens, part, options, reference.Pool, fan, count =>
                {
                    finished = count;
                    read(first + count, behind.Length + 1);
                    if (Stopwatch.GetElapsedTime(last) >= s_keepEvery) Keep();
                }, cancellationToken);
            }
            finally
            {
                Keep();
            }

            void Keep()
            {
                for (int v = 0; v < behind.Length; v++)
                {
                    // Each by itself: one that cannot be written must not lead to another being written twice.
                    int has = behind[v].Kept.Windows - first;
                    if (has < finished) behind[v].Kept.Add(finished - has, fan.Collectors[v].Taken(part[..has].Sum(w => w.Scored), part[has..finished].Sum(w => w.Scored)));
                }
                kept();
                last = Stopwatch.GetTimestamp(); // telling takes time too
            }
        }
    }

    /// <summary>Hands the scores of the base and of each variant to a collector of that variant.</summary>
    private sealed class Fan(DivergenceCollector[] collectors) : IScoreConsumer
    {
        public DivergenceCollector[] Collectors => collectors;

        public int Take(IReadOnlyList<Activations> scores, ReadOnlySpan<int> next, WorkerPool pool)
        {
            for (int v = 0; v < collectors.Length; v++)
            {
                int damaged = collectors[v].Take([scores[0], scores[v + 1]], next, pool);
                if (damaged >= 0) return damaged == 0 ? 0 : v + 1;
            }
            return -1;
        }
    }
}
