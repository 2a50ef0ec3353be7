using Nibble.Kernels;

namespace Nibble.Models;

/// <summary>
/// One text in progress: the cache of the tokens seen so far and the buffers to go on. A model may be shared by several sessions;
/// a session is for one thread at a time.
/// </summary>
public sealed class Session : IDisposable
{
    /// <summary>Tokens that pass through the model together: enough to read weights seldom, few enough to stay in the caches.</summary>
    private const int BatchTokens = 256;

    private readonly Transformer _model;
    private readonly ForwardState _state;
    private readonly Activations _logits;
    private readonly List<int> _tokens = [];

    /// <param name="model">The model.</param>
    /// <param name="contextLength">Tokens that the text can have.</param>
    /// <param name="pool">The threads to use.</param>
    public Session(Transformer model, int contextLength, WorkerPool pool)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(contextLength);
        _model = model;
        _state = new ForwardState(model.Width, model.CreateCache(contextLength), pool);
        _logits = new Activations(model.VocabularySize);
    }

    /// <summary>The tokens seen so far.</summary>
    public IReadOnlyList<int> Tokens => _tokens;

    /// <summary>Tokens that the text can have.</summary>
    public int ContextLength => _state.Cache.Capacity;

    /// <summary>Appends <paramref name="tokens"/> and returns the scores of the token after the last one, <c>[vocabulary]</c>, valid until the next call.</summary>
    public ReadOnlySpan<float> Append(ReadOnlySpan<int> tokens) => Append(tokens, tokens.Length - 1).Read(0);

    /// <summary>Appends <paramref name="tokens"/> and returns the scores of the successors of those from index <paramref name="firstScored"/> on, valid until the next call.</summary>
    /// <returns><c>[tokens.Length - firstScored, vocabulary]</c></returns>
    /// <exception cref="NibbleException">The text would exceed <see cref="ContextLength"/>, or a token is none of the model's.</exception>
    public Activations Append(ReadOnlySpan<int> tokens, int firstScored)
    {
        if (tokens.IsEmpty) throw new ArgumentException("no tokens", nameof(tokens));
        if (_tokens.Count + tokens.Length > ContextLength)
            Throw.BadInput($"the text has {_tokens.Count + tokens.Length} tokens, more than the context of {ContextLength}; shorten it or take a larger context (--ctx)");
        foreach (int token in tokens)
            if ((uint)token >= (uint)_model.Embedding.Rows) Throw.BadInput($"token {token} is none of the model's {_model.Embedding.Rows}");

        // Scored tokens must be in one batch, so that their scores lie together.
        for (int start = 0; start < firstScored; start += BatchTokens)
        {
            int end = Math.Min(start + BatchTokens, firstScored);
            _model.Forward(tokens[start..end], _state, end - start, _logits);
        }
        _model.Forward(tokens[firstScored..], _state, 0, _logits);
        _tokens.AddRange(tokens);
        return _logits;
    }

    /// <summary>Forgets all tokens from <paramref name="length"/> on.</summary>
    public void Truncate(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        if (length >= _tokens.Count) return;
        _tokens.RemoveRange(length, _tokens.Count - length);
        _state.Cache.Length = length;
    }

    public void Dispose()
    {
        _state.Cache.Dispose();
        _state.Dispose();
        _logits.Dispose();
    }
}
