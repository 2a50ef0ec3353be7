using System.Numerics.Tensors;
using Nibble.Files;
using Nibble.Generation;
using Nibble.Kernels;
using Nibble.Models;

namespace Nibble.Evaluation.Divergence;

/// <summary>How far a measurement has come.</summary>
/// <param name="Windows">Windows read.</param>
/// <param name="TotalWindows">Windows to read.</param>
/// <param name="MeanDivergence">Mean divergence so far.</param>
/// <param name="Ratio">The variant's perplexity divided by the base's so far.</param>
public readonly record struct DivergenceProgress(int Windows, int TotalWindows, double MeanDivergence, double Ratio);

/// <summary>
/// Measures how far a variant of a model predicts otherwise than its base. Both read the text together, a window at a time, and their
/// scores are compared as they come, so that no file of scores is needed and memory does not grow with the text. Windows and scored
/// tokens are those of <see cref="PerplexityMeasurement"/>.
/// </summary>
public static class DivergenceMeasurement
{
    /// <summary>Measures two models.</summary>
    /// <param name="reference">The base.</param>
    /// <param name="variant">The model that is compared with it; it must have the same vocabulary, see <see cref="VocabularyComparison"/>.</param>
    /// <param name="tokens">The whole text, with the beginning-of-text token in front where the model wants one.</param>
    /// <param name="options">What of it to read.</param>
    /// <param name="pool">The threads to use; the result does not depend on their number.</param>
    /// <param name="progress">Told after every window.</param>
    /// <param name="cancellationToken">Stops after the batch at hand.</param>
    /// <exception cref="NibbleException">The text has less than one window or a token that a model lacks, the vocabularies differ in size, or scores are not numbers; the message names the layer where they begin.</exception>
    public static DivergenceResult Measure(Transformer reference, Transformer variant, ReadOnlyMemory<int> tokens, EvaluationOptions options, WorkerPool pool,
        IProgress<DivergenceProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(variant);
        return Measure(new EvaluatedModel(reference, "the base's"), new EvaluatedModel(variant, "the variant's"), tokens, "the text", options, pool, progress, cancellationToken);
    }

    private static DivergenceResult Measure(EvaluatedModel reference, EvaluatedModel variant, ReadOnlyMemory<int> tokens, string textName, EvaluationOptions options, WorkerPool pool, IProgress<DivergenceProgress>? progress, CancellationToken cancellationToken)
    {
        (int scored, int scoredByVariant) = (reference.Network.VocabularySize, variant.Network.VocabularySize);
        if (scored != scoredByVariant) Throw.BadInput($"the base scores {scored:N0} tokens and the variant {scoredByVariant:N0}; take a variant of that base");
        IReadOnlyList<EvaluationWindow> windows = EvaluationWindow.Of(tokens.Length, options, textName);
        DivergenceCollector collector = new(new Pairs(), windows, progress);
        EvaluationLoop.Run([reference, variant], tokens, windows, options, pool, collector, collector.Report, cancellationToken);
        return new(collector.Tokens, windows.Count, options.ContextLength);
    }

    /// <summary>Measures two models with their vocabularies, on the threads of the first.</summary>
    /// <inheritdoc cref="Measure(Transformer, Transformer, ReadOnlyMemory{int}, EvaluationOptions, WorkerPool, IProgress{DivergenceProgress}?, CancellationToken)"/>
    public static DivergenceResult Measure(LanguageModel reference, LanguageModel variant, EvaluationText text, EvaluationOptions options,
        IProgress<DivergenceProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(variant);
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(options);
        VocabularyComparison.Require(reference.Tokenizer, reference.File.Path, variant.Tokenizer, variant.File.Path);
        variant.ContextFor(options.ContextLength);
        return Measure(EvaluatedModel.Of(reference), EvaluatedModel.Of(variant), text.Tokens, text.Name, options, reference.Pool, progress, cancellationToken);
    }

    /// <summary>Measures against a base that was saved.</summary>
    /// <param name="reference">What the base predicted.</param>
    /// <param name="variant">The model that is compared with it.</param>
    /// <param name="cache">How keys and values are stored; <see langword="null"/> for half precision.</param>
    /// <param name="progress">Told after every window.</param>
    /// <param name="cancellationToken">Stops after the batch at hand.</param>
    /// <exception cref="NibbleException">The variant has another vocabulary or a shorter context, or its scores are not numbers.</exception>
    public static DivergenceResult Measure(BaseFile reference, LanguageModel variant, CacheOptions? cache = null, IProgress<DivergenceProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(variant);
        BaseHeader header = reference.Header;
        if (header.Vocabulary != variant.Network.VocabularySize || header.VocabularySha256 != VocabularyComparison.Hash(variant.Tokenizer))
            Throw.BadFile(variant.File.Path, $"its vocabulary is another than that of {Quoted.Of(header.BaseName)}, which {reference.Path} was saved from; take a variant of that model");
        EvaluationOptions options = reference.Options with { ContextLength = variant.ContextFor(header.ContextLength), Cache = cache };
        int[] tokens = reference.Tokens;
        IReadOnlyList<EvaluationWindow> windows = EvaluationWindow.Of(tokens.Length, options);
        BaseComparison comparison = new(reference);
        DivergenceCollector collector = new(comparison, windows, progress);
        EvaluationLoop.Run([EvaluatedModel.Of(variant)], tokens, windows, options, variant.Pool, collector, collector.Report, cancellationToken);
        return new(collector.Tokens, windows.Count, options.ContextLength, comparison.SamplingError);
    }

    /// <summary>Compares the scores of two models.</summary>
    internal sealed class Pairs : ITokenComparison
    {
        public unsafe void Compare(IReadOnlyList<Activations> scores, int* next, TokenDivergence* results, int count, long position, WorkerPool pool) =>
            pool.Run(new Work(scores[0].Pointer, scores[1].Pointer, scores[0].Columns, next, results), count);

        public int Damaged(in TokenDivergence token) => double.IsFinite(token.BaseLogProbability) ? 1 : 0;

        private readonly unsafe struct Work(float* reference, float* variant, int vocabulary, int* next, TokenDivergence* results) : IWork
        {
            public void Run(int start, int end)
            {
                for (int i = start; i < end; i++)
                {
                    ReadOnlySpan<float> b = new(reference + (long)i * vocabulary, vocabulary), v = new(variant + (long)i * vocabulary, vocabulary);
                    float highestB = TensorPrimitives.Max(b), highestV = TensorPrimitives.Max(v);
                    PairSums sums = ScoreSums.Pair(b, highestB, v, highestV);
                    int token = next[i];
                    results[i] = new(token, b.IndexOf(highestB), v.IndexOf(highestV), b[token] - highestB - Math.Log(sums.OfB), v[token] - highestV - Math.Log(sums.OfV), sums.Divergence);
                }
            }
        }
    }
}
