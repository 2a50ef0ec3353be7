using Nibble.Kernels;

namespace Nibble.Models;

/// <summary>
/// One text in progress: the cache of the tokens seen so far and the buffers to go on. A model may be shared by several sessions;
/// a session is for one thread at a time.
/// </summary>
public sealed partial class Session : IDisposable
{
    /// <summary>Tokens that pass through the model together: enough to read weights seldom, few enough to stay in the caches.</summary>
    internal const int BatchTokens = 256;

    private readonly Transformer _model;
    private readonly ForwardState _state;
    private readonly KvCache _cache;
    private readonly Activations _logits;
    private readonly WorkerPool _pool, _generationPool;
    private readonly List<int> _tokens;

    /// <param name="model">The model.</param>
    /// <param name="contextLength">Tokens that the text can have.</param>
    /// <param name="pool">The threads to use.</param>
    /// <param name="cache">How keys and values are stored; <see langword="null"/> for half precision.</param>
    /// <param name="generationPool">The threads to use for a single token, where they are fewer.</param>
    /// <exception cref="NibbleException">The system has not the memory for it, or the model's heads cannot be stored so.</exception>
    public Session(Transformer model, int contextLength, WorkerPool pool, CacheOptions? cache = null, WorkerPool? generationPool = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(contextLength);
        _model = model;
        _cache = model.CreateCache(contextLength, cache);
        _state = new ForwardState(model.Width, pool);
        _pool = pool;
        _generationPool = generationPool ?? pool;
        _tokens = new List<int>(contextLength); // in full, so that no token makes it grow
        _logits = new Activations(model.VocabularySize);
    }

    /// <summary>The tokens seen so far.</summary>
    public IReadOnlyList<int> Tokens => _tokens;

    /// <summary>Told the input of every matrix as tokens pass; <see langword="null"/> for nobody.</summary>
    public MatrixObserver? Observer
    {
        get => _state.Observer;
        set => _state.Observer = value;
    }

    /// <summary>Tokens that the text can have.</summary>
    public int ContextLength => _cache.Capacity;

    internal Transformer Model => _model;

    internal KvCache Cache => _cache;

    /// <summary>Appends <paramref name="tokens"/> and returns the scores of the token after the last one, <c>[vocabulary]</c>, valid until the next call.</summary>
    /// <param name="tokens">At least one.</param>
    /// <param name="progress">Told after every batch how many of them are read.</param>
    /// <param name="cancellationToken">Stops after the batch at hand.</param>
    public ReadOnlySpan<float> Append(ReadOnlySpan<int> tokens, IProgress<int>? progress = null, CancellationToken cancellationToken = default) =>
        Append(tokens, tokens.Length - 1, progress, cancellationToken).Read(0);

    /// <summary>Appends <paramref name="tokens"/> and returns the scores of the successors of those from index <paramref name="firstScored"/> on, valid until the next call.</summary>
    /// <param name="tokens">At least one.</param>
    /// <param name="firstScored">The first whose successor is scored.</param>
    /// <param name="progress">Told after every batch how many of them are read.</param>
    /// <param name="cancellationToken">Stops after the batch at hand.</param>
    /// <returns><c>[tokens.Length - firstScored, vocabulary]</c></returns>
    /// <exception cref="NibbleException">The text would exceed <see cref="ContextLength"/>, or a token is none of the model's.</exception>
    /// <exception cref="ObjectDisposedException">The model or this session is disposed.</exception>
    public Activations Append(ReadOnlySpan<int> tokens, int firstScored, IProgress<int>? progress = null, CancellationToken cancellationToken = default)
    {
        _pool.ThrowIfDisposed(); // a model disposes its threads and its file together, and what is no longer mapped must not be read
        Check(tokens);

        // Scored tokens must be in one batch, the last, so that their scores lie together.
        int start = 0;
        while (start < firstScored && tokens.Length - start > BatchTokens)
        {
            int end = Math.Min(start + BatchTokens, firstScored);
            Forward(tokens[start..end], 0);
            progress?.Report(end);
            cancellationToken.ThrowIfCancellationRequested();
            start = end;
        }
        Forward(tokens[start..], tokens.Length - firstScored);
        progress?.Report(tokens.Length);
        return _logits;
    }

    /// <summary>Forgets all tokens from <paramref name="length"/> on.</summary>
    public void Truncate(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        if (length >= _tokens.Count) return;
        _tokens.RemoveRange(length, _tokens.Count - length);
        _cache.Length = length;
    }

    /// <summary>Checks that <paramref name="tokens"/> can be appended.</summary>
    internal void Check(ReadOnlySpan<int> tokens)
    {
        if (tokens.IsEmpty) throw new ArgumentException("no tokens", nameof(tokens));
        if (_tokens.Count + tokens.Length > ContextLength)
            Throw.BadInput($"the text has {_tokens.Count + tokens.Length} tokens, more than the context of {ContextLength}; shorten it, or take a larger context (--ctx) where the model has one");
        foreach (int token in tokens)
            if ((uint)token >= (uint)_model.Embedding.Rows) Throw.BadInput($"token {token} is none of the model's {_model.Embedding.Rows}");
    }

    /// <summary>Notes tokens that have passed through the model.</summary>
    internal void Note(ReadOnlySpan<int> tokens) => _tokens.AddRange(tokens);

    private void Forward(ReadOnlySpan<int> tokens, int scored)
    {
        _state.Pool = tokens.Length == 1 ? _generationPool : _pool;
        _state.Begin();
        _state.Add(_cache, tokens.Length, scored);
        _model.Forward(tokens, _state, _logits);
        Note(tokens);
    }

    public void Dispose()
    {
        _cache.Dispose();
        _state.Dispose();
        _logits.Dispose();
        _ends?.Dispose();
        _slice?.Dispose();
    }
}
