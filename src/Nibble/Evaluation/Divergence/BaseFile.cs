using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Nibble.Files;
using Nibble.Memory;

namespace Nibble.Evaluation.Divergence;

/// <summary>
/// What a base predicted on a text, in less than a hundredth of the bytes of its scores, so that variants can be measured against it
/// another day. Of each distribution it has the likeliest tokens, the mass of the rest and a sample of that. What this costs is told by
/// <see cref="DivergenceResult.SamplingError"/>; docs/Formats.md has the layout and the reasons.
/// </summary>
public sealed unsafe class BaseFile : IDisposable
{
    internal const int Version = 2, HashBytes = 32, FixedHeaderBytes = 136, Alignment = 8;
    private const int LongestName = 4096, MostTokens = 1 << 24;

    private readonly MappedFile _file;
    private readonly long _tokens, _records;

    private BaseFile(MappedFile file)
    {
        _file = file;
        (Header, _tokens) = ReadHeader();
        CheckLength();
        _records = _tokens + Header.Tokens * sizeof(int);
        CheckContent();
    }

    internal static ReadOnlySpan<byte> Magic => "NIBLBASE"u8;

    public BaseHeader Header { get; }

    public string Path => _file.Path;

    /// <summary>The tokens of all windows.</summary>
    public int[] Tokens => _file.Region.Slice(_tokens, Header.Tokens * sizeof(int)).AsSpan<int>().ToArray();

    /// <summary>How the windows are read.</summary>
    public EvaluationOptions Options => new() { ContextLength = Header.ContextLength, Windows = Header.Windows, BeginningOfText = Header.BeginningOfText };

    /// <summary>Whether a file is one of these, by its first bytes.</summary>
    public static bool IsBaseFile(string path)
    {
        if (!File.Exists(path)) return false;
        Span<byte> start = stackalloc byte[Magic.Length];
        return FileKind.ReadStart(path, start) == start.Length && start.SequenceEqual(Magic);
    }

    /// <summary>Opens a file and checks all of it.</summary>
    /// <exception cref="NibbleException">It cannot be read, is none, or is damaged.</exception>
    public static BaseFile Open(string path)
    {
        MappedFile file = new(path);
        try
        {
            return new(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public void Dispose() => _file.Dispose();

    internal BaseRecord Record(long index) => new(_file.Region.Slice(_records + index * Header.RecordBytes, Header.RecordBytes).Pointer, Header);

    private (BaseHeader Header, long End) ReadHeader()
    {
        if (_file.Length < FixedHeaderBytes || !_file.Region.AsSpan<byte>(0, Magic.Length).SequenceEqual(Magic)) Throw.BadFile(Path, "is no base file; make one with nibble kld BASE --text FILE --save-base FILE");
        ReadOnlySpan<byte> start = _file.Region.AsSpan<byte>(0, FixedHeaderBytes);
        int version = Number(start, 8), length = Number(start, 12);
        if (version != Version) Throw.BadFile(Path, $"is a base file of version {version}, and this program reads version {Version}; save the base again");
        if (length < FixedHeaderBytes || length > FixedHeaderBytes + 3 * (LongestName + 2) + Alignment || length > _file.Length || length % Alignment != 0) Damaged("the length of its head is wrong");
        int vocabulary = Number(start, 16), context = Number(start, 20), windows = Number(start, 24), bos = Number(start, 28), top = Number(start, 32), sampled = Number(start, 36);
        if (vocabulary is < 1 or > MostTokens) Damaged($"it has {vocabulary} tokens in its vocabulary");
        if (context is < 4 or > MostTokens || windows < 1) Damaged($"it has {windows} windows of {context} tokens");
        if (bos < -1 || bos >= vocabulary) Damaged($"it begins texts with token {bos}");
        if (top < 1 || sampled < 0 || top > vocabulary || sampled > vocabulary) Damaged($"it keeps {top} and {sampled} tokens");
        ReadOnlySpan<byte> names = _file.Region.AsSpan<byte>(FixedHeaderBytes, length - FixedHeaderBytes);
        string text = Name(ref names), model = Name(ref names), cache = Name(ref names);
        return (new(vocabulary, context, windows, bos < 0 ? null : bos, top, sampled, text, Hash(start, 40), Hash(start, 72), model, Hash(start, 104), cache), length);
    }

    /// <summary>Compares what the head counts with the file's length by division, since the bytes of hostile counts are more than 64 bits can hold.</summary>
    private void CheckLength()
    {
        long room = _file.Length - _tokens - HashBytes;
        if (room < 0 || Header.Tokens > room / sizeof(int)) Damaged($"it has {_file.Length:N0} bytes, too few for the {Header.Tokens:N0} tokens of its text");
        room -= Header.Tokens * sizeof(int);
        if (Header.Records > room / Header.RecordBytes) Damaged($"it has {_file.Length:N0} bytes, too few for its {Header.Records:N0} records");
        if (room != Header.Records * Header.RecordBytes) Damaged($"it has {room - Header.Records * Header.RecordBytes:N0} bytes too many");
    }

    private void CheckContent()
    {
        long end = _file.Length - HashBytes;
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (long position = 0, count; position < end; position += count)
        {
            count = Math.Min(1 << 20, end - position);
            hash.AppendData(_file.Region.AsSpan<byte>(position, (int)count));
        }
        if (!hash.GetHashAndReset().AsSpan().SequenceEqual(_file.Region.AsSpan<byte>(end, HashBytes))) Damaged("its hash does not fit its content");
        // A hash says who wrote it no more than the rest does, so every number is looked at.
        for (long i = 0; i < Header.Tokens; i++)
            if ((uint)_file.Region.Slice(_tokens + i * sizeof(int), sizeof(int)).AsSpan<int>()[0] >= (uint)Header.Vocabulary) Damaged($"token {i:N0} of its text is none of the vocabulary");
        for (long i = 0; i < Header.Records; i++)
        {
            BaseRecord record = Record(i);
            if (!float.IsFinite(record.TokenLogarithm) || record.TokenLogarithm > 0.001f || !(record.Rest is >= 0 and <= 1)) Damaged($"the probabilities of record {i:N0} are none");
            for (int k = 0; k < Header.Kept; k++)
                if ((uint)record.Id(k) >= (uint)Header.Vocabulary) Damaged($"record {i:N0} has a token that is none of the vocabulary");
        }
    }

    private string Name(ref ReadOnlySpan<byte> names)
    {
        if (names.Length < 2) Damaged("it ends within its names");
        int length = BinaryPrimitives.ReadUInt16LittleEndian(names);
        if (length > LongestName || length > names.Length - 2) Damaged($"it has a name of {length:N0} bytes");
        string name = Encoding.UTF8.GetString(names.Slice(2, length));
        names = names[(2 + length)..];
        return name;
    }

    private static int Number(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadInt32LittleEndian(bytes[offset..]);

    private static string Hash(ReadOnlySpan<byte> bytes, int offset) => Convert.ToHexStringLower(bytes.Slice(offset, HashBytes));

    private void Damaged(string problem) => Throw.BadFile(Path, $"{problem}; the file is damaged, save the base again");
}
