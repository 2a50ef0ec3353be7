using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Nibble.Evaluation.Divergence;
using Nibble.Memory;

namespace Nibble.Evaluation.Comparison.Running;

/// <summary>
/// The divergences of one variant over the first windows of a text, in a file that grows as windows are read: a run that is
/// interrupted loses some seconds of them, and one that asks for more windows begins where the last one ended.
/// </summary>
internal sealed class KeptDivergence
{
    /// <summary>The file: eight bytes that say what it is, the number of windows as 64-bit integer, then a <see cref="TokenDivergence"/> for each token, in this machine's order of bytes.</summary>
    private const ulong Mark = 0x31564944424E; // "NBDIV1"

    private const int HeaderBytes = 16;

    private readonly string _path;
    private readonly IReadOnlyList<EvaluationWindow> _windows;
    private readonly List<TokenDivergence> _tokens = [];

    /// <param name="path">The file.</param>
    /// <param name="windows">All windows that are to be read.</param>
    public KeptDivergence(string path, IReadOnlyList<EvaluationWindow> windows)
    {
        _path = path;
        _windows = windows;
        Read();
    }

    /// <summary>Windows that are read.</summary>
    public int Windows { get; private set; }

    /// <summary>The tokens of those windows.</summary>
    public IReadOnlyList<TokenDivergence> Tokens => _tokens;

    /// <summary>Appends windows, and keeps them.</summary>
    public void Add(int windows, IReadOnlyList<TokenDivergence> tokens)
    {
        Windows += windows;
        _tokens.AddRange(tokens);
        ReadOnlySpan<byte> body = MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(_tokens));
        byte[] file = new byte[HeaderBytes + body.Length];
        MemoryMarshal.Write(file, Mark);
        MemoryMarshal.Write(file.AsSpan(8), (long)Windows);
        body.CopyTo(file.AsSpan(HeaderBytes));
        MeasurementStore.Write(_path, file);
    }

    /// <summary>The tokens of one window.</summary>
    public IReadOnlyList<TokenDivergence> Of(int window) => _tokens.GetRange(ScoredBefore(window), _windows[window].Scored);

    /// <summary>What all windows say together.</summary>
    public DivergenceResult Result(int contextLength) => new(_tokens, Windows, contextLength);

    /// <summary>Takes of an earlier run the windows that are asked for now; a file that is no such or damaged is measured anew.</summary>
    private void Read()
    {
        if (!File.Exists(_path)) return;
        using MappedFile file = new(_path);
        if (file.Length < HeaderBytes || file.Region.AsSpan<ulong>(0, 1)[0] != Mark) return;
        long windows = file.Region.AsSpan<long>(1, 1)[0];
        if (windows < 1) return;
        int kept = (int)Math.Min(windows, _windows.Count), tokens = ScoredBefore(kept);
        if (file.Length < HeaderBytes + (long)tokens * Unsafe.SizeOf<TokenDivergence>()) return;
        _tokens.AddRange(MemoryMarshal.Cast<byte, TokenDivergence>(file.Region.Slice(HeaderBytes, (long)tokens * Unsafe.SizeOf<TokenDivergence>()).AsSpan<byte>()));
        Windows = kept;
    }

    private int ScoredBefore(int window) => _windows.Take(window).Sum(w => w.Scored);
}
