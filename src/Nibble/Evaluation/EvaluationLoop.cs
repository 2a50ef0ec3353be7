using Nibble.Kernels;
using Nibble.Models;

namespace Nibble.Evaluation;

/// <summary>What becomes of the scores of models that read a text.</summary>
internal interface IScoreConsumer
{
    /// <summary>Takes the scores of some tokens, which follow those of the last call.</summary>
    /// <param name="scores">Of each model, <c>[next.Length, vocabulary]</c>; valid until this returns.</param>
    /// <param name="next">The tokens of the text that were to be predicted.</param>
    /// <param name="pool">The threads to use.</param>
    /// <returns>The model whose scores are no finite numbers; -1 where all are.</returns>
    int Take(IReadOnlyList<Activations> scores, ReadOnlySpan<int> next, WorkerPool pool);
}

/// <summary>
/// The one loop of all measurements on a text: one or more models with the same vocabulary read it window by window, and what they
/// predict is handed on some tokens at a time. Nothing else is kept, so memory does not grow with the text. Each time the models go to work
/// one after the other, the last one begins the next time: what it left in the caches of the processor is still there.
/// </summary>
internal static class EvaluationLoop
{
    /// <summary>Tokens scored together: as many as keep the product with the head fast, few enough that the scores of a large vocabulary take tens of megabytes.</summary>
    internal const int ScoredTogether = 128;

    /// <param name="models">The models.</param>
    /// <param name="tokens">The whole text.</param>
    /// <param name="windows">See <see cref="EvaluationWindow.Of"/>.</param>
    /// <param name="options">What those were made of.</param>
    /// <param name="pool">The threads to use; results do not depend on their number.</param>
    /// <param name="consumer">Takes the scores.</param>
    /// <param name="afterWindow">Told how many windows are read.</param>
    /// <param name="cancellationToken">Stops after the batch at hand.</param>
    /// <exception cref="NibbleException">A model lacks a token of the text, or its scores are not numbers; the message names the model and the layer.</exception>
    public static void Run(IReadOnlyList<EvaluatedModel> models, ReadOnlyMemory<int> tokens, IReadOnlyList<EvaluationWindow> windows, EvaluationOptions options,
        WorkerPool pool, IScoreConsumer consumer, Action<int>? afterWindow, CancellationToken cancellationToken)
    {
        CheckTokens(models, tokens.Span[..(windows[^1].Start + windows[^1].Length)]);
        Session[] sessions = new Session[models.Count];
        try
        {
            for (int m = 0; m < sessions.Length; m++) sessions[m] = new(models[m].Network, windows.Max(w => w.Length), pool, options.Cache);
            int[] window = new int[windows.Max(w => w.Length)];
            Turns turns = new(sessions.Length);
            for (int w = 0; w < windows.Count; w++)
            {
                Span<int> read = window.AsSpan(0, windows[w].Length);
                tokens.Span.Slice(windows[w].Start, windows[w].Length).CopyTo(read);
                if (options is { BeginningOfText: { } bos, Stride: null }) read[0] = bos;
                Read(models, sessions, turns, read, windows[w].FirstScored, pool, consumer, cancellationToken);
                afterWindow?.Invoke(w + 1);
            }
        }
        finally
        {
            foreach (Session? session in sessions) session?.Dispose();
        }
    }

    private static void Read(IReadOnlyList<EvaluatedModel> models, Session[] sessions, Turns turns, ReadOnlySpan<int> window, int firstScored, WorkerPool pool, IScoreConsumer consumer, CancellationToken cancellationToken)
    {
        foreach (int m in turns.Next())
        {
            sessions[m].Truncate(0);
            sessions[m].Read(window[..^1], firstScored, cancellationToken);
        }
        Activations[] scores = new Activations[sessions.Length];
        ReadOnlySpan<int> next = window[(firstScored + 1)..];
        for (int start = 0; start < next.Length; start += ScoredTogether)
        {
            int count = Math.Min(ScoredTogether, next.Length - start);
            foreach (int m in turns.Next()) scores[m] = sessions[m].Score(start, count);
            int damaged = consumer.Take(scores, next.Slice(start, count), pool);
            if (damaged >= 0) FirstNonNumber.Report(sessions[damaged], window[..^1], models[damaged].Whose);
        }
    }

    private static void CheckTokens(IReadOnlyList<EvaluatedModel> models, ReadOnlySpan<int> tokens)
    {
        int known = models.Min(model => Math.Min(model.Network.VocabularySize, model.Network.Embedding.Rows));
        foreach (int token in tokens)
            if ((uint)token >= (uint)known) Throw.BadInput($"the text has token {token}, and the model knows {known}; its tokenizer is another model's");
    }

    /// <summary>The order in which models have their turn: there and back.</summary>
    private sealed class Turns(int models)
    {
        private readonly int[] _there = [.. Enumerable.Range(0, models)], _back = [.. Enumerable.Range(0, models).Reverse()];
        private bool _isBack = true;

        public int[] Next() => (_isBack = !_isBack) ? _back : _there;
    }
}
