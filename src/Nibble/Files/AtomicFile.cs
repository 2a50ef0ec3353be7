namespace Nibble.Files;

/// <summary>
/// A file that appears under its name when it is complete or not at all. Until <see cref="Commit"/> it lies beside its target as
/// <c>.NAME.partial-RANDOM</c>, with its whole size reserved, so that a full disk fails at the start and not after an hour.
/// An existing target is replaced in one step; a program that still has the old file mapped keeps reading the old content,
/// so that a file may be rewritten from itself (Windows refuses the replacement while the old file is open).
/// </summary>
internal sealed class AtomicFile : IDisposable
{
    private readonly string _partial;
    private FileStream? _stream;

    /// <param name="path">The file to make.</param>
    /// <param name="length">Its bytes, all of which are reserved at once.</param>
    /// <exception cref="NibbleException">The file cannot be made there, or the disk has no room for it.</exception>
    public AtomicFile(string path, long length)
    {
        Path = path;
        string full = System.IO.Path.GetFullPath(path);
        string? folder = System.IO.Path.GetDirectoryName(full);
        if (folder is null || Directory.Exists(full)) Throw.BadFile(path, "is a folder; name the file to write");
        if (!Directory.Exists(folder)) Throw.BadFile(path, $"cannot be written: the folder {folder} does not exist; create it first");
        if (folder == "/dev") Throw.BadFile(path, "is a device; name the file to write");
        _partial = System.IO.Path.Combine(folder, $".{System.IO.Path.GetFileName(full)}.partial-{Guid.NewGuid():N}"[..^24]);
        long available = Available(folder);
        if (length > available) NoRoom(length, available);
        Try(() => _stream = new(_partial, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            BufferSize = 1 << 16,
            PreallocationSize = length,
        }));
    }

    /// <summary>The file this becomes.</summary>
    public string Path { get; }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        try
        {
            Stream.Write(bytes);
        }
        catch (IOException e)
        {
            throw Failed(e);
        }
    }

    /// <summary>Writes <paramref name="count"/> zeros.</summary>
    public void WriteZeros(long count)
    {
        Span<byte> zeros = stackalloc byte[512];
        zeros.Clear();
        for (; count > 0; count -= zeros.Length) Write(zeros[..(int)Math.Min(count, zeros.Length)]);
    }

    /// <summary>Gives the complete file its name.</summary>
    public void Commit()
    {
        Try(() =>
        {
            Stream.Dispose();
            File.Move(_partial, Path, overwrite: true);
            _stream = null;
        });
    }

    /// <summary>Removes the file unless it was committed.</summary>
    public void Dispose()
    {
        if (_stream is null) return;
        try
        {
            _stream.Dispose();
        }
        catch (IOException)
        {
            // What was still buffered could not be written; the file goes away all the same.
        }
        _stream = null;
        Try(() => File.Delete(_partial));
    }

    private FileStream Stream => _stream ?? throw new InvalidOperationException("the file is committed or disposed");

    private void Try(Action action)
    {
        try
        {
            action();
        }
        catch (IOException e)
        {
            throw Failed(e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new NibbleException($"{Path}: cannot be written: no permission; choose another folder or change its permissions", e);
        }
    }

    private NibbleException Failed(IOException e) => new($"{Path}: cannot be written: {e.Message}", e);

    private void NoRoom(long length, long available) =>
        Throw.BadFile(Path, $"the disk is full: {length:N0} bytes are needed, {available:N0} are available; free some space or choose another folder");

    private static long Available(string folder)
    {
        try
        {
            return new DriveInfo(OperatingSystem.IsWindows() ? System.IO.Path.GetPathRoot(folder)! : folder).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or ArgumentException or UnauthorizedAccessException)
        {
            return long.MaxValue; // a share that does not tell: reserving the space decides
        }
    }
}
