using System.Numerics.Tensors;
using Nibble.Generation;
using Nibble.Kernels;
using Nibble.Models;

namespace Nibble.Evaluation;

/// <summary>How well a model predicts a text: e to the mean negative log-probability of each scored token.</summary>
/// <param name="Perplexity">1 for a model that is always certain and right; the vocabulary's size for one that guesses evenly.</param>
/// <param name="Error">One standard error of <paramref name="Perplexity"/>.</param>
/// <param name="Tokens">Tokens scored.</param>
/// <param name="Windows">Windows read.</param>
/// <param name="ContextLength">Tokens of a window.</param>
public readonly record struct PerplexityResult(double Perplexity, double Error, long Tokens, int Windows, int ContextLength)
{
    /// <summary>The perplexity with its error.</summary>
    public Estimate Estimate => new(Perplexity, Error);

    /// <param name="loss">The mean negative log-probability.</param>
    /// <param name="tokens">Tokens scored.</param>
    /// <param name="windows">Windows read.</param>
    /// <param name="contextLength">Tokens of a window.</param>
    internal static PerplexityResult Of(Estimate loss, long tokens, int windows, int contextLength) =>
        new(Math.Exp(loss.Value), Math.Exp(loss.Value) * loss.Error, tokens, windows, contextLength);
}

/// <summary>
/// Measures perplexity as llama.cpp's tool does: the text is cut into windows that do not overlap; where the model wants one, the first
/// token of each is replaced by the beginning-of-text token; in each the tokens of the second half are scored, so that all have context.
/// With a stride it is measured as Hugging Face's guide does, see <see cref="EvaluationOptions.Stride"/>; that guide weighs each
/// window by one token less than it scores, here all tokens weigh the same.
/// </summary>
public static class PerplexityMeasurement
{
    /// <param name="model">The model.</param>
    /// <param name="tokens">The whole text, with the beginning-of-text token in front where the model wants one.</param>
    /// <param name="options">What of it to read.</param>
    /// <param name="pool">The threads to use; the result does not depend on their number.</param>
    /// <param name="progress">Told the result so far after every window.</param>
    /// <param name="cancellationToken">Stops after the batch at hand.</param>
    /// <exception cref="NibbleException">The text has less than one window or a token that the model lacks, or the model's scores are not numbers; the message names the layer where they begin.</exception>
    public static PerplexityResult Measure(Transformer model, ReadOnlyMemory<int> tokens, EvaluationOptions options, WorkerPool pool,
        IProgress<PerplexityResult>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        return Measure(new EvaluatedModel(model, "the model's"), tokens, options, pool, progress, cancellationToken);
    }

    /// <summary>The same of a model with a file, which errors name, on the model's own threads.</summary>
    /// <inheritdoc cref="Measure(Transformer, ReadOnlyMemory{int}, EvaluationOptions, WorkerPool, IProgress{PerplexityResult}?, CancellationToken)"/>
    public static PerplexityResult Measure(LanguageModel model, ReadOnlyMemory<int> tokens, EvaluationOptions options,
        IProgress<PerplexityResult>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        return Measure(EvaluatedModel.Of(model), tokens, options, model.Pool, progress, cancellationToken);
    }

    private static PerplexityResult Measure(EvaluatedModel model, ReadOnlyMemory<int> tokens, EvaluationOptions options, WorkerPool pool, IProgress<PerplexityResult>? progress, CancellationToken cancellationToken)
    {
        IReadOnlyList<EvaluationWindow> windows = EvaluationWindow.Of(tokens.Length, options);
        Losses losses = new();
        EvaluationLoop.Run([model], tokens, windows, options, pool, losses, read => progress?.Report(Result(read)), cancellationToken);
        return Result(windows.Count);

        PerplexityResult Result(int read) => PerplexityResult.Of(losses.Statistics.X, losses.Statistics.Count, read, options.ContextLength);
    }

    /// <summary>The natural logarithm of the probability that <paramref name="scores"/> give to <paramref name="token"/>; no finite number where a score is none.</summary>
    internal static double LogProbability(ReadOnlySpan<float> scores, int token)
    {
        float highest = TensorPrimitives.Max(scores);
        return scores[token] - highest - Math.Log(ScoreSums.Exponentials(scores, highest));
    }

    private sealed class Losses : IScoreConsumer
    {
        private double[] _losses = [];
        public PairStatistics Statistics;

        public unsafe int Take(IReadOnlyList<Activations> scores, ReadOnlySpan<int> next, WorkerPool pool)
        {
            if (_losses.Length < next.Length) _losses = new double[next.Length];
            fixed (int* tokens = next)
            fixed (double* losses = _losses)
                pool.Run(new Work(scores[0].Pointer, scores[0].Columns, tokens, losses), next.Length);
            foreach (double loss in _losses.AsSpan(0, next.Length))
            {
                if (!double.IsFinite(loss)) return 0;
                Statistics.Add(loss, 0);
            }
            return -1;
        }

        private readonly unsafe struct Work(float* scores, int vocabulary, int* next, double* losses) : IWork
        {
            public void Run(int start, int end)
            {
                for (int i = start; i < end; i++) losses[i] = -LogProbability(new ReadOnlySpan<float>(scores + (long)i * vocabulary, vocabulary), next[i]);
            }
        }
    }
}
