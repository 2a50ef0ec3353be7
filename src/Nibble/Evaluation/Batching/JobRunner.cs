using System.Runtime.InteropServices;
using Nibble.Generation;
using Nibble.Kernels;
using Nibble.Models;

namespace Nibble.Evaluation.Batching;

/// <summary>
/// Runs jobs many at a time: each pass through the model is filled with the next tokens of as many jobs as it takes, long and short ones
/// together, so that evaluating runs at the speed of reading a prompt. Nothing is padded.
/// </summary>
internal static class JobRunner
{
    /// <summary>Texts in progress at most: enough to fill a pass with the last few tokens of each.</summary>
    private const int MostSessions = 32;

    /// <summary>Bytes of keys and values of all texts in progress together.</summary>
    private const long CacheBytes = 1L << 30;

    /// <summary>Bytes of the scores of one pass.</summary>
    private const long ScoreBytes = 1L << 26;

    private sealed class Slot(Session session)
    {
        public readonly Session Session = session;
        public BatchJob? Job;
        public ReadOnlyMemory<int> Tokens;
        public int Scored;
    }

    /// <param name="model">The model.</param>
    /// <param name="jobs">What to do, in this order as far as it shows.</param>
    /// <param name="finished">Told every job that is finished, in the order in which they finish.</param>
    /// <param name="passed">Told after every pass how many tokens it had.</param>
    /// <param name="cache">How keys and values are stored; <see langword="null"/> for half precision.</param>
    /// <param name="cancellationToken">Stops after the pass at hand.</param>
    /// <exception cref="NibbleException">The system has not the memory for it, or the model's scores are no numbers.</exception>
    public static void Run(LanguageModel model, IReadOnlyCollection<BatchJob> jobs, Action<BatchJob> finished, Action<int>? passed = null,
        CacheOptions? cache = null, CancellationToken cancellationToken = default)
    {
        if (jobs.Count == 0) return;
        int capacity = jobs.Max(j => j.Capacity);
        long sessionBytes = Math.Max(1, model.Network.MemoryFor(capacity, cache).Cache);
        int sessions = (int)Math.Clamp(CacheBytes / sessionBytes, 1, Math.Min(MostSessions, jobs.Count));
        int mostRows = (int)Math.Clamp(ScoreBytes / sizeof(float) / model.Network.VocabularySize, 16, Session.BatchTokens);

        List<Slot> slots = [];
        try
        {
            for (int i = 0; i < sessions; i++) slots.Add(new(model.CreateSession(capacity, cache)));
            using SessionBatch batch = model.CreateBatch();
            Run(model, batch, slots, new(jobs), mostRows, finished, passed, cancellationToken);
        }
        finally
        {
            foreach (Slot slot in slots) slot.Session.Dispose();
        }
    }

    private static void Run(LanguageModel model, SessionBatch batch, List<Slot> slots, Queue<BatchJob> waiting, int mostRows,
        Action<BatchJob> finished, Action<int>? passed, CancellationToken cancellationToken)
    {
        RowSummary[] summaries = new RowSummary[mostRows];
        List<SessionTokens> parts = [];
        List<Slot> partSlots = [];
        for (int first = 0; ; first++)
        {
            foreach (Slot slot in slots) Advance(slot, waiting, finished);
            parts.Clear();
            partSlots.Clear();
            int tokens = 0, rows = 0;
            for (int i = 0; i < slots.Count; i++)
            {
                Slot slot = slots[(first + i) % slots.Count]; // another one first each time, so that none waits for ever
                int taken = Part(slot, Session.BatchTokens - tokens, mostRows - rows, out int scored);
                if (taken == 0) continue;
                parts.Add(new(slot.Session, slot.Tokens[..taken], scored));
                partSlots.Add(slot);
                tokens += taken;
                rows += scored;
            }
            if (tokens == 0) return;

            Activations scores = batch.Append(CollectionsMarshal.AsSpan(parts));
            if (rows > 0) RowSummary.OfAll(scores, summaries, model.Pool);
            for (int p = 0, row = 0; p < parts.Count; p++)
            {
                Slot slot = partSlots[p];
                Check(model, parts[p], summaries.AsSpan(row, parts[p].Scored));
                if (parts[p].Scored > 0) slot.Job!.Take(scores, summaries, row, parts[p].Scored);
                row += parts[p].Scored;
                slot.Tokens = slot.Tokens[parts[p].Tokens.Length..];
                slot.Scored -= parts[p].Scored;
            }
            passed?.Invoke(tokens);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Gives a slot its next step, of its job or of the next one.</summary>
    private static void Advance(Slot slot, Queue<BatchJob> waiting, Action<BatchJob> finished)
    {
        while (slot.Tokens.IsEmpty)
        {
            if (slot.Job is null && !waiting.TryDequeue(out slot.Job)) return;
            if (slot.Job.Next(slot.Session.Tokens) is { } step)
            {
                slot.Session.Truncate(step.Keep);
                slot.Tokens = step.Tokens;
                slot.Scored = step.Scored;
                continue;
            }
            finished(slot.Job);
            slot.Job = null;
        }
    }

    /// <summary>How many tokens of a slot's step go into a pass that has room for so many tokens and rows of scores.</summary>
    private static int Part(Slot slot, int tokensLeft, int rowsLeft, out int scored)
    {
        int unscored = slot.Tokens.Length - slot.Scored; // these come first
        int taken = Math.Min(Math.Min(slot.Tokens.Length, tokensLeft), unscored + rowsLeft);
        scored = Math.Max(0, taken - unscored);
        return taken;
    }

    /// <summary>Refuses scores that are no numbers, with the layer where they begin.</summary>
    private static void Check(LanguageModel model, SessionTokens part, ReadOnlySpan<RowSummary> summaries)
    {
        for (int row = 0; row < summaries.Length; row++)
        {
            if (double.IsFinite(summaries[row].LogSum)) continue;
            int[] text = [.. part.Session.Tokens.Take(part.Session.Tokens.Count - summaries.Length + row + 1)]; // up to the token with these scores
            FirstNonNumber.Report(part.Session, text, $"{model.File.Path}: the model's");
        }
    }
}
