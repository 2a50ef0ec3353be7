using System.Runtime.InteropServices;
using Nibble.Kernels;

namespace Nibble.Models;

/// <summary>Tokens that a text goes on with.</summary>
/// <param name="Session">The text.</param>
/// <param name="Tokens">At least one.</param>
/// <param name="Scored">How many of them, counted from the last, have their successor scored; 0 for none.</param>
public readonly record struct SessionTokens(Session Session, ReadOnlyMemory<int> Tokens, int Scored = 1);

/// <summary>
/// Several texts that go on together: weights, which are most of what one token at a time has to read, are read once for all of them.
/// For one thread at a time, as are the sessions.
/// </summary>
public sealed class SessionBatch : IDisposable
{
    private readonly Transformer _model;
    private readonly ForwardState _state;
    private readonly Activations _logits;
    private readonly List<int> _tokens = [];

    /// <param name="model">The model of all sessions.</param>
    /// <param name="pool">The threads to use; results do not depend on their number.</param>
    public SessionBatch(Transformer model, WorkerPool pool)
    {
        ArgumentNullException.ThrowIfNull(model);
        _model = model;
        _state = new ForwardState(model.Width, pool);
        _logits = new Activations(model.VocabularySize);
    }

    /// <summary>
    /// Appends tokens to several sessions in one pass through the model, and returns the scores of the tokens after those that are
    /// <see cref="SessionTokens.Scored"/>, part after part, valid until the next call. Long texts are better begun by <see cref="Session.Append(ReadOnlySpan{int}, IProgress{int}?, CancellationToken)"/>,
    /// since memory grows with the tokens of a pass.
    /// </summary>
    /// <param name="parts">At least one; each of another session, all with the same <see cref="CacheOptions"/>.</param>
    /// <returns><c>[sum of Scored, vocabulary]</c>; what it held before where none is scored.</returns>
    /// <exception cref="NibbleException">A text would exceed its context, or a token is none of the model's; no session is changed.</exception>
    /// <exception cref="ArgumentException">A session is of another model, stores its cache in another way, or is there twice; or more tokens are scored than there are.</exception>
    public Activations Append(ReadOnlySpan<SessionTokens> parts)
    {
        _state.Pool.ThrowIfDisposed(); // a model disposes its threads and its file together, and what is no longer mapped must not be read
        if (parts.IsEmpty) throw new ArgumentException("no sessions", nameof(parts));
        Check(parts);
        _state.Begin();
        _tokens.Clear();
        foreach ((Session session, ReadOnlyMemory<int> tokens, int scored) in parts)
        {
            _state.Add(session.Cache, tokens.Length, scored);
            _tokens.AddRange(tokens.Span);
        }
        _model.Forward(CollectionsMarshal.AsSpan(_tokens), _state, _logits);
        foreach ((Session session, ReadOnlyMemory<int> tokens, _) in parts) session.Note(tokens.Span);
        return _logits;
    }

    public void Dispose()
    {
        _state.Dispose();
        _logits.Dispose();
    }

    private void Check(ReadOnlySpan<SessionTokens> parts)
    {
        for (int i = 0; i < parts.Length; i++)
        {
            Session session = parts[i].Session;
            if (!ReferenceEquals(session.Model, _model)) throw new ArgumentException("a session is of another model", nameof(parts));
            if (session.Cache.Options != parts[0].Session.Cache.Options) throw new ArgumentException("sessions store their caches in different ways", nameof(parts));
            for (int earlier = 0; earlier < i; earlier++)
                if (parts[earlier].Session == session) throw new ArgumentException("a session is there twice", nameof(parts));
            session.Check(parts[i].Tokens.Span);
            if (parts[i].Scored < 0 || parts[i].Scored > parts[i].Tokens.Length) throw new ArgumentException($"{parts[i].Scored} of {parts[i].Tokens.Length} tokens cannot be scored", nameof(parts));
        }
    }
}
