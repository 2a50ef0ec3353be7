using Nibble.Kernels;

namespace Nibble.Models;

/// <summary>What one pass of a batch of tokens through a model works on.</summary>
internal sealed class ForwardState(int width, KvCache cache, WorkerPool pool) : IDisposable
{
    private readonly Dictionary<string, Activations> _scratch = [];
    private readonly Dictionary<Rope, RopeAngles> _angles = [];

    /// <summary>The residual stream, <c>[tokens, width]</c>: every block adds to it.</summary>
    public Activations Stream { get; } = new(width);

    /// <summary>The stream after a norm, the input of a block, <c>[tokens, width]</c>.</summary>
    public Activations Normed { get; } = new(width);

    /// <summary>The output of a block, <c>[tokens, width]</c>.</summary>
    public Activations Output { get; } = new(width);

    public KvCache Cache { get; } = cache;

    /// <summary>The threads to use for the batch.</summary>
    public WorkerPool Pool { get; set; } = pool;

    /// <summary>Told the input of every matrix.</summary>
    public MatrixObserver? Observer { get; set; }

    /// <summary>Position of the first token of the batch.</summary>
    public int FirstPosition { get; set; }

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
        return angles.At(FirstPosition, Stream.Tokens);
    }

    public void Dispose()
    {
        foreach (RopeAngles angles in _angles.Values) angles.Dispose();
        Stream.Dispose();
        Normed.Dispose();
        Output.Dispose();
        foreach (Activations scratch in _scratch.Values) scratch.Dispose();
    }
}
