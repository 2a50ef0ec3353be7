using System.Numerics.Tensors;

namespace Nibble.Generation;

/// <summary>
/// Chooses the next token from the scores of all. The steps and their order are llama.cpp's: repeat penalty, top-k, top-p, min-p,
/// temperature. Ties go to the lower id, so that the choice does not depend on a sorting algorithm.
/// </summary>
public sealed class Sampler
{
    private readonly GenerationOptions _options;
    private readonly Random _random;
    private readonly HashSet<int> _seen = [];
    private readonly PriorityQueue<int, (float Score, int MinusId)> _best = new();
    private float[] _scores = [];
    private int[] _ids = [];

    /// <exception cref="NibbleException">An option makes no sense.</exception>
    public Sampler(GenerationOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        _random = options.Seed is { } seed ? new Random(seed) : new Random();
    }

    /// <param name="logits">A score for each token, <c>[vocabulary]</c>.</param>
    /// <param name="previous">The tokens so far, for the repeat penalty.</param>
    /// <returns>The id of the chosen token.</returns>
    /// <exception cref="NibbleException">A score is not a number, or none is finite.</exception>
    public int Sample(ReadOnlySpan<float> logits, IReadOnlyList<int> previous)
    {
        ArgumentNullException.ThrowIfNull(previous);
        if (_scores.Length != logits.Length) (_scores, _ids) = (new float[logits.Length], new int[logits.Length]);
        if (!float.IsFinite(TensorPrimitives.Max(logits))) Throw.BadInput("the model's scores are not a number; its weights are damaged, download or convert it again");
        logits.CopyTo(_scores);
        Penalize(previous);
        if (_options.Temperature == 0) return TensorPrimitives.IndexOfMax((ReadOnlySpan<float>)_scores);

        Span<int> candidates = Likeliest(_options.TopK == 0 ? logits.Length : Math.Min(_options.TopK, logits.Length));
        Span<float> probabilities = stackalloc float[256];
        probabilities = candidates.Length <= probabilities.Length ? probabilities[..candidates.Length] : new float[candidates.Length];
        Probabilities(candidates, 1, probabilities);
        int kept = CountTopP(probabilities);
        kept = CountMinP(probabilities[..kept]);
        Probabilities(candidates[..kept], _options.Temperature, probabilities[..kept]);
        return candidates[Draw(probabilities[..kept])];
    }

    private void Penalize(IReadOnlyList<int> previous)
    {
        if (_options.RepeatPenalty == 1) return;
        int first = _options.RepeatLastN < 0 ? 0 : Math.Max(0, previous.Count - _options.RepeatLastN);
        _seen.Clear();
        for (int i = first; i < previous.Count; i++)
        {
            int id = previous[i];
            if (!_seen.Add(id)) continue;
            _scores[id] = _scores[id] > 0 ? _scores[id] / _options.RepeatPenalty : _scores[id] * _options.RepeatPenalty;
        }
    }

    /// <summary>The ids of the <paramref name="count"/> highest scores, highest first.</summary>
    private Span<int> Likeliest(int count)
    {
        // A heap of the best so far, the worst of them on top: most scores are below it and cost one comparison.
        PriorityQueue<int, (float Score, int MinusId)> best = _best;
        for (int id = 0; id < _scores.Length; id++)
        {
            if (best.Count < count) best.Enqueue(id, (_scores[id], -id));
            else if (best.TryPeek(out _, out (float Score, int) worst) && _scores[id] > worst.Score) best.EnqueueDequeue(id, (_scores[id], -id));
        }
        for (int i = best.Count - 1; i >= 0; i--) _ids[i] = best.Dequeue();
        return _ids.AsSpan(0, count);
    }

    private void Probabilities(ReadOnlySpan<int> ids, float temperature, Span<float> result)
    {
        float highest = _scores[ids[0]], sum = 0;
        for (int i = 0; i < ids.Length; i++) sum += result[i] = MathF.Exp((_scores[ids[i]] - highest) / temperature);
        TensorPrimitives.Divide(result, sum, result);
    }

    private int CountTopP(ReadOnlySpan<float> probabilities)
    {
        if (_options.TopP == 1) return probabilities.Length; // a rounded sum may reach 1 before the last
        float sum = 0;
        for (int i = 0; i < probabilities.Length; i++)
            if ((sum += probabilities[i]) >= _options.TopP) return i + 1;
        return probabilities.Length;
    }

    private int CountMinP(ReadOnlySpan<float> probabilities)
    {
        int count = 1;
        while (count < probabilities.Length && probabilities[count] >= _options.MinP * probabilities[0]) count++;
        return count;
    }

    private int Draw(ReadOnlySpan<float> probabilities)
    {
        double place = _random.NextDouble();
        for (int i = 0; i < probabilities.Length - 1; i++)
            if ((place -= probabilities[i]) < 0) return i;
        return probabilities.Length - 1;
    }
}
