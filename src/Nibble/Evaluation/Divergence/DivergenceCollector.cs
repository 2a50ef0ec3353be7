using Nibble.Kernels;

namespace Nibble.Evaluation.Divergence;

/// <summary>Compares what is scored with a base, wherever that is.</summary>
internal interface ITokenComparison
{
    /// <param name="scores">Of each model, <c>[count, vocabulary]</c>.</param>
    /// <param name="next">The tokens of the text, <c>[count]</c>.</param>
    /// <param name="results">Becomes how each is predicted, <c>[count]</c>.</param>
    /// <param name="count">How many.</param>
    /// <param name="position">The first of them, counted from the first of the text that is scored.</param>
    /// <param name="pool">The threads to use.</param>
    unsafe void Compare(IReadOnlyList<Activations> scores, int* next, TokenDivergence* results, int count, long position, WorkerPool pool);

    /// <summary>The model whose scores are no finite numbers, where the result of a token is none.</summary>
    int Damaged(in TokenDivergence token);
}

/// <summary>Gathers the divergences of all tokens while a text is read.</summary>
internal sealed class DivergenceCollector : IScoreConsumer
{
    private readonly ITokenComparison _comparison;
    private readonly IReadOnlyList<EvaluationWindow> _windows;
    private readonly IProgress<DivergenceProgress>? _progress;
    private readonly TokenDivergence[] _tokens;
    private PairStatistics _losses, _divergences;
    private int _count;

    public DivergenceCollector(ITokenComparison comparison, IReadOnlyList<EvaluationWindow> windows, IProgress<DivergenceProgress>? progress)
    {
        _comparison = comparison;
        _windows = windows;
        _progress = progress;
        _tokens = new TokenDivergence[windows.Sum(w => w.Scored)];
    }

    public IReadOnlyList<TokenDivergence> Tokens => _tokens;

    /// <summary>Some of those tokens, which have been taken already.</summary>
    public ReadOnlySpan<TokenDivergence> Taken(int start, int count) => _tokens.AsSpan(start, count);

    public unsafe int Take(IReadOnlyList<Activations> scores, ReadOnlySpan<int> next, WorkerPool pool)
    {
        fixed (int* tokens = next)
        fixed (TokenDivergence* results = &_tokens[_count])
            _comparison.Compare(scores, tokens, results, next.Length, _count, pool);
        foreach (ref readonly TokenDivergence token in _tokens.AsSpan(_count, next.Length))
        {
            if (!double.IsFinite(token.Divergence + token.BaseLogProbability + token.LogProbability)) return _comparison.Damaged(in token);
            _losses.Add(-token.LogProbability, -token.BaseLogProbability);
            _divergences.Add(token.Divergence, 0);
        }
        _count += next.Length;
        return -1;
    }

    public void Report(int read) => _progress?.Report(new(read, _windows.Count, _divergences.X.Value, Math.Exp(_losses.Difference.Value)));
}
