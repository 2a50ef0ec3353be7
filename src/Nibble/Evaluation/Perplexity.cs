using System.Numerics.Tensors;
using Nibble.Kernels;
using Nibble.Models;

namespace Nibble.Evaluation;

/// <summary>How well a model predicts a text: e to the mean negative log-probability of each scored token.</summary>
/// <param name="Perplexity">1 for a model that is always certain and right; the vocabulary's size for one that guesses evenly.</param>
/// <param name="Error">One standard error of <paramref name="Perplexity"/>.</param>
/// <param name="Tokens">Tokens scored.</param>
/// <param name="Windows">Windows read.</param>
/// <param name="ContextLength">Tokens of a window.</param>
public readonly record struct PerplexityResult(double Perplexity, double Error, long Tokens, int Windows, int ContextLength);

/// <summary>
/// Measures perplexity as llama.cpp's tool does: the text is cut into windows that do not overlap; where the model wants one, the first
/// token of each is replaced by the beginning-of-text token; in each the tokens of the second half are scored, so that all have context.
/// </summary>
public static class PerplexityMeasurement
{
    /// <summary>Tokens scored together: bounds the memory for scores, one for each entry of the vocabulary.</summary>
    private const int ScoredTogether = 64;

    /// <param name="model">The model.</param>
    /// <param name="tokens">The whole text, with the beginning-of-text token in front where the model wants one.</param>
    /// <param name="beginningOfText">The token to start each window with, or <see langword="null"/>.</param>
    /// <param name="contextLength">Tokens of a window.</param>
    /// <param name="windows">Windows to read at most.</param>
    /// <param name="pool">The threads to use; the result does not depend on their number.</param>
    /// <param name="progress">Told the result so far after every window.</param>
    /// <param name="cache">How keys and values are stored; <see langword="null"/> for half precision.</param>
    /// <param name="cancellationToken">Stops after the window at hand.</param>
    /// <exception cref="NibbleException">The text has less than one window or a token that the model lacks, or the model's scores are not numbers.</exception>
    public static PerplexityResult Measure(Transformer model, ReadOnlyMemory<int> tokens, int? beginningOfText, int contextLength, int windows,
        WorkerPool pool, IProgress<PerplexityResult>? progress = null, CacheOptions? cache = null, CancellationToken cancellationToken = default)
    {
        if (contextLength < 4) Throw.BadInput($"a context of {contextLength} tokens is too short to measure perplexity; take at least 4 (--ctx)");
        if (windows < 1) Throw.BadInput($"{windows} windows were asked for; take at least 1 (--windows)");
        int count = CountWindows(tokens.Length, contextLength, windows);
        if (count < 1)
            Throw.BadInput($"the text has {tokens.Length} tokens, less than one window of {contextLength}; take a longer text or a smaller context (--ctx)");
        foreach (int token in tokens.Span[..(count * contextLength)])
            if ((uint)token >= (uint)model.VocabularySize) Throw.BadInput($"the text has token {token}, and the model knows {model.VocabularySize}; its tokenizer is another model's");

        using Session session = new(model, contextLength, pool, cache);
        int[] window = new int[contextLength];
        LossSum losses = new();
        for (int w = 0; w < count; w++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            tokens.Span.Slice(w * contextLength, contextLength).CopyTo(window);
            if (beginningOfText is { } bos) window[0] = bos;
            session.Truncate(0);
            Score(session, window, losses);
            if (!double.IsFinite(Math.Exp(losses.Mean))) Throw.BadInput("the model's scores are not a number; its weights are damaged, download or convert it again");
            progress?.Report(Result(w + 1));
        }
        return Result(count);

        PerplexityResult Result(int read)
        {
            double perplexity = Math.Exp(losses.Mean);
            return new(perplexity, perplexity * losses.StandardError, losses.Count, read, contextLength);
        }
    }

    /// <summary>Windows that a text of <paramref name="tokens"/> tokens has.</summary>
    public static int CountWindows(int tokens, int contextLength, int most) => Math.Min(most, tokens / contextLength);

    private static void Score(Session session, ReadOnlySpan<int> window, LossSum losses)
    {
        // The last token has no successor in the window, so it is not run.
        int first = window.Length / 2, last = window.Length - 1;
        for (int start = 0; start < last;)
        {
            int end = start == 0 ? Math.Min(first + ScoredTogether, last) : Math.Min(start + ScoredTogether, last);
            int firstScored = Math.Max(start, first) - start;
            Activations logits = session.Append(window[start..end], firstScored);
            for (int i = start + firstScored; i < end; i++)
                losses.Add(-LogProbability(logits.Read(i - start - firstScored), window[i + 1]));
            start = end;
        }
    }

    /// <summary>The natural logarithm of the probability that <paramref name="logits"/> give to <paramref name="token"/>.</summary>
    internal static double LogProbability(ReadOnlySpan<float> logits, int token)
    {
        float highest = TensorPrimitives.Max(logits);
        double sum = 0;
        foreach (float logit in logits) sum += MathF.Exp(logit - highest);
        return logits[token] - highest - Math.Log(sum);
    }

    /// <summary>A running mean and its standard error.</summary>
    private sealed class LossSum
    {
        private double _sum, _sumOfSquares;

        public long Count { get; private set; }

        public double Mean => _sum / Count;

        public double StandardError => Count < 2 ? 0 : Math.Sqrt(Math.Max(0, _sumOfSquares / Count - Mean * Mean) / (Count - 1));

        public void Add(double loss)
        {
            _sum += loss;
            _sumOfSquares += loss * loss;
            Count++;
        }
    }
}
