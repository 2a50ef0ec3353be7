using Nibble.Kernels;

namespace Nibble.Models;

/// <summary>Scoring many tokens of a long text, whose scores together would fill the memory: first all tokens are read, then scores are computed a few at a time.</summary>
public sealed partial class Session
{
    private Activations? _ends, _slice;

    /// <summary>
    /// Appends <paramref name="tokens"/> and keeps what the head needs to score the successors of those from index
    /// <paramref name="firstScored"/> on; <see cref="Score"/> computes the scores.
    /// </summary>
    /// <param name="tokens">At least one.</param>
    /// <param name="firstScored">The first whose successor is to be scored.</param>
    /// <param name="cancellationToken">Stops after the batch at hand.</param>
    /// <exception cref="NibbleException">The text would exceed <see cref="ContextLength"/>, or a token is none of the model's.</exception>
    /// <exception cref="ObjectDisposedException">The model or this session is disposed.</exception>
    internal void Read(ReadOnlySpan<int> tokens, int firstScored, CancellationToken cancellationToken = default)
    {
        _pool.ThrowIfDisposed();
        Check(tokens);
        _ends ??= new Activations(_model.Width);
        _ends.Resize(tokens.Length - firstScored);
        int kept = 0;
        for (int start = 0; start < tokens.Length; start += BatchTokens)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ReadOnlySpan<int> batch = tokens[start..Math.Min(start + BatchTokens, tokens.Length)];
            _state.Pool = _pool;
            _state.Begin();
            _state.Add(_cache, batch.Length, Math.Min(batch.Length, Math.Max(0, start + batch.Length - firstScored)));
            _model.ForwardLayers(batch, _state);
            foreach (int token in _state.Scored) _model.Norm.Apply(_state.Stream.Read(token), _ends.Write(kept++));
            Note(batch);
        }
    }

    /// <summary>The scores of the successors of tokens that <see cref="Read"/> kept, valid until the next call.</summary>
    /// <param name="first">The first of them, counted from the first that is scored.</param>
    /// <param name="count">How many.</param>
    /// <returns><c>[count, vocabulary]</c></returns>
    internal Activations Score(int first, int count)
    {
        _slice ??= new Activations(_model.Width);
        _slice.Resize(count);
        for (int i = 0; i < count; i++) _ends!.Read(first + i).CopyTo(_slice.Write(i));
        _model.Head.Apply(_slice, _logits, _state);
        return _logits;
    }
}
