using Nibble.Kernels;

namespace Nibble.Models;

/// <summary>What one pass of a batch of tokens through a model works on. The tokens may belong to several texts.</summary>
internal sealed class ForwardState(int width, WorkerPool pool) : IDisposable
{
    private readonly List<int> _scored = [];
    private long _batch;
    private readonly Dictionary<string, Activations> _scratch = [];
    private readonly Dictionary<Rope, RopeAngles> _angles = [];

    /// <summary>The residual stream, <c>[tokens, width]</c>: every block adds to it.</summary>
    public Activations Stream { get; } = new(width);

    /// <summary>The stream after a norm, the input of a block, <c>[tokens, width]</c>.</summary>
    public Activations Normed { get; } = new(width);

    /// <summary>The output of a block, <c>[tokens, width]</c>.</summary>
    public Activations Output { get; } = new(width);

    /// <summary>The cache of each text of the batch.</summary>
    public List<KvCache> Caches { get; } = [];

    /// <summary>How keys and values are stored, which is the same for all texts of a batch.</summary>
    public CacheOptions CacheOptions => Caches[0].Options;

    /// <summary>Where the tokens of each text are in the batch.</summary>
    public AttentionPlan Plan { get; } = new();

    /// <summary>The threads to use for the batch.</summary>
    public WorkerPool Pool { get; set; } = pool;

    /// <summary>Told the input of every matrix.</summary>
    public MatrixObserver? Observer { get; set; }

    /// <summary>Tokens of the batch.</summary>
    public int Tokens { get; private set; }

    /// <summary>The tokens of the batch whose successors are scored.</summary>
    public IReadOnlyList<int> Scored => _scored;

    /// <summary>Begins a batch.</summary>
    public void Begin()
    {
        Caches.Clear();
        Plan.Clear();
        _scored.Clear();
        Tokens = 0;
        _batch++;
    }

    /// <summary>Adds tokens that go on after those in <paramref name="cache"/>; the successors of the last <paramref name="scored"/> of them are scored.</summary>
    public void Add(KvCache cache, int tokens, int scored)
    {
        Caches.Add(cache);
        Plan.Add(Tokens, tokens, cache.Length);
        for (int token = tokens - scored; token < tokens; token++) _scored.Add(Tokens + token);
        Tokens += tokens;
    }

    /// <summary>A matrix to work in, the same one for the same name: layers follow one another, so they share it.</summary>
    public Activations Scratch(string name, int columns)
    {
        if (_scratch.TryGetValue(name, out Activations? found))
        {
            if (found.Columns == columns) return found;
            found.Dispose(); // a model whose layers differ in width
        }
        return _scratch[name] = new Activations(columns);
    }

    /// <summary>The angles by which <paramref name="rope"/> turns the tokens of the batch, <c>[tokens, AngleCount]</c>.</summary>
    public unsafe float* Angles(Rope rope)
    {
        if (!_angles.TryGetValue(rope, out RopeAngles? angles)) _angles.Add(rope, angles = new RopeAngles(rope));
        return angles.Of(_batch, Plan.Segments, Tokens);
    }

    public void Dispose()
    {
        foreach (RopeAngles angles in _angles.Values) angles.Dispose();
        Plan.Dispose();
        Stream.Dispose();
        Normed.Dispose();
        Output.Dispose();
        foreach (Activations scratch in _scratch.Values) scratch.Dispose();
    }
}
