using Nibble.Kernels;

namespace Nibble.Evaluation.Batching;

/// <summary>A text whose end is scored.</summary>
/// <param name="Tokens">The whole text.</param>
/// <param name="FirstScored">The first token of the end; at least 1.</param>
internal readonly record struct ScoredTokens(int[] Tokens, int FirstScored);

/// <summary>
/// Log-likelihoods of the ends of several texts. What they begin with in common is read once; a choice of a single token then costs
/// nothing more, and any other reads its own tokens.
/// </summary>
internal sealed class ScoringJob : BatchJob
{
    private readonly ScoredTokens[] _texts;
    private readonly int[] _ends;
    private readonly int _shared;       // tokens that all texts begin with, at most up to the first that is scored
    private int _at = -1;               // the text whose step is at work; -1 for the shared beginning
    private int _target;                // the token that the next row of scores is about
    private bool _begun;

    /// <param name="texts">The texts, at least one.</param>
    /// <param name="ends">For each text the index of the end that it is a piece of, from 0 on in their order.</param>
    public ScoringJob(ScoredTokens[] texts, int[] ends)
    {
        _texts = texts;
        _ends = ends;
        _shared = texts.Min(t => Math.Min(t.FirstScored, t.Tokens.Length - 1));
        foreach (ScoredTokens text in texts) _shared = Math.Min(_shared, text.Tokens.AsSpan().CommonPrefixLength(texts[0].Tokens));
        LogLikelihoods = new double[ends[^1] + 1];
        IsGreedy = new bool[ends[^1] + 1];
        Array.Fill(IsGreedy, true);
    }

    /// <summary>The natural logarithm of the probability of each end.</summary>
    public double[] LogLikelihoods { get; }

    /// <summary>Whether always taking the likeliest token gives the end.</summary>
    public bool[] IsGreedy { get; }

    public override int Capacity => _texts.Max(t => t.Tokens.Length - 1); // the last token is only predicted

    public override int Cost => _shared + _texts.Sum(t => t.Tokens.Length - 1 - _shared);

    public override BatchStep? Next(IReadOnlyList<int> seen)
    {
        if (!_begun)
        {
            _begun = true;
            int scored = Array.Exists(_texts, t => t.FirstScored == _shared) ? 1 : 0;
            int keep = Math.Min(Shared(seen, _texts[0].Tokens.AsSpan(0, _shared)), _shared - scored);
            if (keep < _shared) return new(Math.Max(0, keep), _texts[0].Tokens.AsMemory(Math.Max(0, keep).._shared), scored);
        }
        while (++_at < _texts.Length)
        {
            (int[] tokens, int firstScored) = _texts[_at];
            int last = tokens.Length - 1;
            if (last == _shared) continue; // its only token was scored with the shared beginning
            _target = Math.Max(firstScored, _shared + 1);
            return new(_shared, tokens.AsMemory(_shared..last), tokens.Length - _target);
        }
        return null;
    }

    public override void Take(Activations scores, RowSummary[] summaries, int row, int count)
    {
        if (_at < 0)
        {
            for (int t = 0; t < _texts.Length; t++)
                if (_texts[t].FirstScored == _shared) Add(t, _shared, scores, summaries, row);
            return;
        }
        for (int i = 0; i < count; i++) Add(_at, _target++, scores, summaries, row + i);
    }

    private void Add(int text, int target, Activations scores, RowSummary[] summaries, int row)
    {
        int token = _texts[text].Tokens[target];
        LogLikelihoods[_ends[text]] += scores.Read(row)[token] - summaries[row].LogSum;
        IsGreedy[_ends[text]] &= summaries[row].Top == token;
    }
}
