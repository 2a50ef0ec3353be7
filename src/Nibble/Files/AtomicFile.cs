namespace Nibble.Files;

/// <summary>
/// A file that appears under its name when it is complete or not at all. Until <see cref="Commit"/> it lies beside its target as
/// <c>.NAME.partial-RANDOM</c>, or as <c>.NAME.partial</c> where a later run may go on with it, with its whole size reserved, so that a full disk fails at the start
/// and not after an hour.
/// An existing target is replaced in one step; a program that still has the old file mapped keeps reading the old content,
/// so that a file may be rewritten from itself (Windows refuses the replacement while the old file is open).
/// </summary>
internal sealed class AtomicFile : IDisposable
{
    /// <summary>What the name of a file that is not complete has at its end.</summary>
    public const string Suffix = ".partial";

    private readonly string _partial;
    private FileStream? _stream;
    private bool _isPending;

    /// <param name="path">The file to make.</param>
    /// <param name="length">Its bytes, all of which are reserved at once.</param>
    /// <param name="isResumable">Whether it lies at <see cref="ResumablePath"/> until then, and begins with what an earlier run left there.</param>
    /// <exception cref="NibbleException">The file cannot be made there, or the disk has no room for it.</exception>
    public AtomicFile(string path, long length, bool isResumable = false)
    {
        Path = path;
        string folder = FolderOf(path);
        _partial = isResumable ? ResumablePath(path) : System.IO.Path.Combine(folder, $".{System.IO.Path.GetFileName(path)}{Suffix}-{Guid.NewGuid():N}"[..^24]);
        bool exists = isResumable && File.Exists(_partial);
        // A file that is there may have its whole size reserved beyond its end, so what is available does not tell what is missing.
        long available = exists ? long.MaxValue : Available(folder);
        if (length > available) NoRoom(length, available);
        Try(() => _stream = new(_partial, new FileStreamOptions
        {
            Mode = exists ? FileMode.Open : FileMode.CreateNew,
            Access = isResumable ? FileAccess.ReadWrite : FileAccess.Write,
            BufferSize = 1 << 16,
            PreallocationSize = exists ? 0 : length,
        }));
        _isPending = true;
        StaysBehind = exists;
        if (exists) Try(() => Stream.SetLength(length));
    }

    /// <summary>The file this becomes.</summary>
    public string Path { get; }

    /// <summary>Whether what is written stays for a later run where the file is not committed.</summary>
    public bool StaysBehind { get; set; }

    /// <summary>Where a file lies that a later run may go on with.</summary>
    public static string ResumablePath(string path) => System.IO.Path.Combine(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!, $".{System.IO.Path.GetFileName(path)}{Suffix}");

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

    /// <summary>Leaves <paramref name="count"/> bytes as they are.</summary>
    public void Skip(long count) => Try(() => Stream.Seek(count, SeekOrigin.Current));

    /// <summary>Hands what was written to the system, so that it outlives this process.</summary>
    public void Flush() => Try(Stream.Flush);

    /// <summary>Reads what an earlier run wrote.</summary>
    /// <returns>The bytes read; fewer than asked for at the end of the file.</returns>
    public int ReadBack(long position, Span<byte> bytes)
    {
        try
        {
            return RandomAccess.Read(Stream.SafeFileHandle, bytes, position);
        }
        catch (IOException e)
        {
            throw Failed(e);
        }
    }

    /// <summary>Gives the complete file its name.</summary>
    public void Commit() => CommitAll([this]);

    /// <summary>
    /// Gives several files their names, the first last: where that is there, all are. If one of them cannot have its name, none gets it,
    /// and files that were there before are there again.
    /// </summary>
    public static void CommitAll(IReadOnlyList<AtomicFile> files)
    {
        foreach (AtomicFile file in files) file.Close();
        Stack<(AtomicFile File, string? Old)> renamed = [];
        try
        {
            foreach (AtomicFile file in files.Reverse())
            {
                // One file replaces another in a single step; of several, what they replace must be there to go back to.
                string? old = files.Count > 1 ? file.SetOldAside() : null;
                renamed.Push((file, old));
                file.Move(file._partial, file.Path);
                file._isPending = false;
            }
        }
        catch
        {
            foreach ((AtomicFile file, string? old) in renamed) file.TakeBack(old);
            throw;
        }
        foreach ((AtomicFile file, string? old) in renamed)
            if (old is not null) file.Try(() => File.Delete(old));
    }

    /// <summary>Removes the file unless it was committed, or is to stay for a later run.</summary>
    public void Dispose()
    {
        try
        {
            _stream?.Dispose();
        }
        catch (IOException)
        {
            // What was still buffered could not be written; the file goes away all the same.
        }
        _stream = null;
        if (!_isPending) return;
        _isPending = false;
        if (!StaysBehind) Try(() => File.Delete(_partial));
    }

    private FileStream Stream => _stream ?? throw new InvalidOperationException("the file is committed or disposed");

    private void Close()
    {
        Try(Stream.Dispose);
        _stream = null;
    }

    private string? SetOldAside()
    {
        if (!File.Exists(Path)) return null;
        string old = $"{_partial}-old";
        Move(Path, old);
        return old;
    }

    private void TakeBack(string? old)
    {
        if (!_isPending) Move(Path, _partial);
        _isPending = true;
        if (old is not null) Move(old, Path);
    }

    private void Move(string from, string to) => Try(() => File.Move(from, to, overwrite: true));

    /// <summary>The folder that a file would be written to.</summary>
    /// <exception cref="NibbleException">None can be written there.</exception>
    public static string FolderOf(string path)
    {
        string full = System.IO.Path.GetFullPath(path);
        string? folder = System.IO.Path.GetDirectoryName(full);
        if (folder is null || Directory.Exists(full)) return Throw.BadFile<string>(path, "is a folder; name the file to write");
        if (!Directory.Exists(folder)) Throw.BadFile(path, $"cannot be written: the folder {folder} does not exist; create it first");
        if (folder == "/dev") Throw.BadFile(path, "is a device; name the file to write");
        return folder;
    }

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

    private NibbleException Failed(IOException e) => new($"{Path}: cannot be written: {OutputFolder.Reason(e)}", e);

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
