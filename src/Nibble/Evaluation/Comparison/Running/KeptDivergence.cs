using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Nibble.Evaluation.Divergence;
using Nibble.Files;
using Nibble.Memory;

namespace Nibble.Evaluation.Comparison.Running;

/// <summary>
/// The divergences of one variant over the first windows of a text, in a file that grows as windows are read: a run that is
/// interrupted loses the window at hand, and one that asks for more windows begins where the last one ended.
/// </summary>
/// <remarks>
/// The file: eight bytes that say what it is, then for each window a <see cref="TokenDivergence"/> for each of its scored tokens, in this
/// machine's order of bytes, and the first eight bytes of the SHA-256 of those. A window that is not there whole is not there.
/// </remarks>
internal sealed class KeptDivergence
{
    private const ulong Mark = 0x32564944424E; // "NBDIV2"

    private const int MarkBytes = sizeof(ulong), CheckBytes = 8;

    private readonly string _path;
    private readonly IReadOnlyList<EvaluationWindow> _windows;
    private readonly List<TokenDivergence> _tokens = [];

    private PairStatistics _losses, _divergences;
    private long _changed;

    /// <summary>Where the next window belongs; 0 where the file has to be begun.</summary>
    private long _end;

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

    /// <summary>The perplexity of the variant divided by that of the base, so far.</summary>
    public Estimate Ratio => new(Math.Exp(_losses.Difference.Value), Math.Exp(_losses.Difference.Value) * _losses.Difference.Error);

    /// <summary>The mean divergence so far.</summary>
    public Estimate MeanKld => _divergences.X;

    /// <summary>The share of tokens so far for which another token is the likeliest.</summary>
    public Estimate TopChanged => Estimate.Share(_changed, _tokens.Count);

    /// <summary>Appends windows, and keeps them.</summary>
    /// <param name="windows">How many.</param>
    /// <param name="tokens">Their scored tokens.</param>
    /// <exception cref="NibbleException">They cannot be written.</exception>
    public void Add(int windows, ReadOnlySpan<TokenDivergence> tokens)
    {
        using MemoryStream bytes = new();
        ReadOnlySpan<TokenDivergence> left = tokens;
        if (_end == 0) bytes.Write(BitConverter.GetBytes(Mark));
        foreach (EvaluationWindow window in _windows.Skip(Windows).Take(windows))
        {
            ReadOnlySpan<byte> body = MemoryMarshal.AsBytes(left[..window.Scored]);
            bytes.Write(body);
            bytes.Write(CheckOf(body));
            left = left[window.Scored..];
        }
        Append(bytes.ToArray());
        Count(tokens[..^left.Length]);
        Windows += windows;
    }

    /// <summary>The tokens of one window.</summary>
    public IReadOnlyList<TokenDivergence> Of(int window) => _tokens.GetRange(_windows.Take(window).Sum(w => w.Scored), _windows[window].Scored);

    /// <summary>What all windows say together.</summary>
    public DivergenceResult Result(int contextLength) => new(_tokens, Windows, contextLength);

    private void Count(ReadOnlySpan<TokenDivergence> tokens)
    {
        foreach (ref readonly TokenDivergence token in tokens)
        {
            _losses.Add(-token.LogProbability, -token.BaseLogProbability);
            _divergences.Add(token.Divergence, 0);
            if (!token.IsSameTop) _changed++;
        }
        _tokens.AddRange(tokens);
    }

    /// <summary>Writes in the place of whatever follows the last window, such as half of one.</summary>
    private void Append(byte[] bytes)
    {
        MeasurementStore.CreateFor(_path);
        try
        {
            using FileStream file = new(_path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read, bufferSize: 0);
            file.SetLength(_end);
            file.Position = _end;
            file.Write(bytes);
        }
        catch (IOException e)
        {
            throw new NibbleException($"{_path}: cannot be written: {OutputFolder.Reason(e)}", e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new NibbleException($"{_path}: cannot be written: access is denied", e);
        }
        _end += bytes.Length;
    }

    /// <summary>Takes of an earlier run the windows that are asked for now; of a file that is no such or damaged, those before the damage.</summary>
    private void Read()
    {
        if (!File.Exists(_path) || new FileInfo(_path).Length < MarkBytes) return;
        using MappedFile file = new(_path);
        if (file.Region.AsSpan<ulong>(0, 1)[0] != Mark) return;
        _end = MarkBytes;
        foreach (EvaluationWindow window in _windows)
        {
            long length = (long)window.Scored * Unsafe.SizeOf<TokenDivergence>();
            if (file.Length < _end + length + CheckBytes) return;
            ReadOnlySpan<byte> body = file.Region.Slice(_end, length).AsSpan<byte>();
            if (!file.Region.Slice(_end + length, CheckBytes).AsSpan<byte>().SequenceEqual(CheckOf(body))) return;
            Count(MemoryMarshal.Cast<byte, TokenDivergence>(body));
            _end += length + CheckBytes;
            Windows++;
        }
    }

    private static byte[] CheckOf(ReadOnlySpan<byte> body) => SHA256.HashData(body)[..CheckBytes];
}
