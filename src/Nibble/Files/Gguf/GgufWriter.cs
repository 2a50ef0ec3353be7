namespace Nibble.Files.Gguf;

/// <summary>
/// Writes a model front to back, to one GGUF v3 file or several. The targets appear, all together, when <see cref="Commit"/> ends;
/// disposing without it leaves nothing. A target may be the very file that the tensors are read from: it is replaced at the end.
/// <code>
/// using GgufWriter writer = GgufWriter.Create(path, metadata, tensors);
/// foreach (TensorInfo tensor in tensors) writer.Write(BytesOf(tensor));
/// writer.Commit();
/// </code>
/// </summary>
public sealed class GgufWriter : IDisposable
{
    private readonly List<GgufPartWriter> _parts = [];
    private readonly List<(GgufPartWriter Part, long Position)> _places = [];
    private int _part;

    private GgufWriter(IReadOnlyList<GgufOutput> files, bool isResumable)
    {
        TotalBytes = files.Sum(file => file.Bytes);
        try
        {
            foreach (GgufOutput file in files)
            {
                _parts.Add(new(file, isResumable));
                long position = file.DataStart;
                foreach (TensorInfo tensor in file.Tensors)
                {
                    _places.Add((_parts[^1], position));
                    position += GgufLayout.Align(tensor.Bytes, file.Alignment);
                }
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Bytes of all files when complete.</summary>
    public long TotalBytes { get; }

    /// <summary>Bytes written so far, headers and padding included.</summary>
    public long WrittenBytes => _parts.Sum(part => part.WrittenBytes);

    /// <summary>The tensor that the next bytes belong to; <see langword="null"/> when all are written.</summary>
    public TensorInfo? Current => CurrentPart?.Current;

    /// <summary>Starts a file: checks the target, reserves its whole size and writes the header.</summary>
    /// <param name="path">The file to make; an existing one is replaced by <see cref="Commit"/>.</param>
    /// <param name="metadata">All of it is written, but for keys that start with <c>split.</c>.</param>
    /// <param name="tensors">What will be written, in order, each with the format that it has in the new file.</param>
    /// <exception cref="NibbleException">The file cannot be made there, the disk has no room, or GGUF cannot hold a tensor.</exception>
    public static GgufWriter Create(string path, Metadata metadata, IReadOnlyList<TensorInfo> tensors) => Create([GgufSplit.Whole(path, metadata, tensors)]);

    /// <summary>Starts several files, which get their tensors one file after the other.</summary>
    /// <exception cref="NibbleException">A file cannot be made there, the disk has no room, or GGUF cannot hold a tensor.</exception>
    public static GgufWriter Create(IReadOnlyList<GgufOutput> files) => Create(files, isResumable: false);

    /// <inheritdoc cref="Create(IReadOnlyList{GgufOutput})"/>
    /// <param name="files">The files.</param>
    /// <param name="isResumable">Whether they begin with what an earlier run left of them.</param>
    internal static GgufWriter Create(IReadOnlyList<GgufOutput> files, bool isResumable)
    {
        foreach (GgufOutput file in files) file.Check();
        return new(files, isResumable);
    }

    /// <summary>Bytes of the file that would hold this.</summary>
    public static long SizeOf(Metadata metadata, IReadOnlyList<TensorInfo> tensors) => GgufSplit.Whole(metadata.Source, metadata, tensors).Bytes;

    /// <summary>Writes the next bytes of the current tensor; with its last byte the next tensor becomes the current one.</summary>
    /// <exception cref="NibbleException">The disk is full or fails.</exception>
    /// <exception cref="InvalidOperationException">More bytes than the current tensor still lacks.</exception>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty) return;
        if (CurrentPart is not { } part) throw new InvalidOperationException("all tensors are written");
        part.Write(bytes);
    }

    /// <summary>Leaves the current tensor, which an earlier run wrote, as it is.</summary>
    internal void Skip()
    {
        if (CurrentPart is not { } part) throw new InvalidOperationException("all tensors are written");
        part.Skip();
    }

    /// <summary>Reads what an earlier run wrote of a tensor, counted through all files, from byte <paramref name="offset"/> of it on.</summary>
    /// <returns>The bytes read; fewer than asked for at the end of the file.</returns>
    internal int ReadBack(int tensor, long offset, Span<byte> bytes) => _places[tensor].Part.File.ReadBack(_places[tensor].Position + offset, bytes);

    /// <summary>Hands what was written to the system, so that it outlives this process.</summary>
    internal void Flush()
    {
        foreach (GgufPartWriter part in _parts) part.File.Flush();
    }

    /// <summary>Says whether what is written stays for a later run where the files are not committed.</summary>
    internal void StayBehind(bool isWanted)
    {
        foreach (GgufPartWriter part in _parts) part.File.StaysBehind = isWanted;
    }

    /// <summary>Gives the complete files their names.</summary>
    /// <exception cref="NibbleException">The disk is full or fails, or a target cannot be replaced.</exception>
    public void Commit()
    {
        foreach (GgufPartWriter part in _parts) part.RequireComplete();
        AtomicFile.CommitAll([.. _parts.Select(part => part.File)]);
    }

    public void Dispose()
    {
        foreach (GgufPartWriter part in _parts) part.Dispose();
    }

    private GgufPartWriter? CurrentPart
    {
        get
        {
            while (_part < _parts.Count && _parts[_part].Current is null) _part++;
            return _part < _parts.Count ? _parts[_part] : null;
        }
    }
}
