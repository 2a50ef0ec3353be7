using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;

namespace Nibble.Memory;

/// <summary>A file mapped read-only into memory, whole.</summary>
public sealed unsafe partial class MappedFile : IDisposable
{
    private readonly MemoryMappedFile? _file;
    private readonly MemoryMappedViewAccessor? _view;
    private readonly byte* _start;

    /// <exception cref="NibbleException">The file does not exist or cannot be read.</exception>
    public MappedFile(string path)
    {
        Path = path;
        if (path.Length == 0 || path.Contains('\0')) Throw.BadInput("the name of a file is empty or damaged");
        if (Directory.Exists(path)) Throw.BadFile(path, "is a folder; a file was expected");
        try
        {
            using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            Length = stream.Length;
            if (Length == 0) return; // an empty file cannot be mapped; its region is empty
            _file = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
            _view = _file.CreateViewAccessor(0, Length, MemoryMappedFileAccess.Read);
            byte* start = null;
            _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
            _start = start + _view.PointerOffset;
        }
        catch (FileNotFoundException) { Throw.BadFile(path, "no such file"); }
        catch (DirectoryNotFoundException) { Throw.BadFile(path, "no such file; the folder does not exist"); }
        catch (UnauthorizedAccessException) { Throw.BadFile(path, "may not be read; check its permissions"); }
        catch (NotSupportedException) { Throw.BadFile(path, "is a pipe or a device; a file was expected"); }
        catch (IOException e) { throw new NibbleException($"{path}: cannot be read: {e.Message}", e); }
    }

    public string Path { get; }

    /// <summary>Bytes in the file.</summary>
    public long Length { get; }

    /// <summary>The whole file.</summary>
    /// <exception cref="ObjectDisposedException">The file is no longer mapped.</exception>
    public MemoryRegion Region
    {
        get
        {
            ObjectDisposedException.ThrowIf(_view is { SafeMemoryMappedViewHandle.IsClosed: true }, this);
            return new(_start, Length, this);
        }
    }

    /// <summary>
    /// Tells the system that a part of the file will be read soon, so that it gets it from the disk meanwhile. Does nothing on
    /// systems without such a call.
    /// </summary>
    internal void Prefetch(MemoryRegion part)
    {
        const int MadvWillNeed = 3; // the same number on Linux and macOS
        long first = (long)part.Pointer / Environment.SystemPageSize * Environment.SystemPageSize;
        Advise(first, (long)part.Pointer + part.Length, MadvWillNeed);
    }

    /// <summary>
    /// Tells the system that a part of the file will not be read again soon, so that its pages stop counting as this process's memory.
    /// The data stays readable. Does nothing on systems without such a call.
    /// </summary>
    internal void Release(MemoryRegion part)
    {
        const int MadvDontNeed = 4; // the same number on Linux and macOS; on a read-only file mapping nothing is lost
        long page = Environment.SystemPageSize;
        long first = (long)part.Pointer / page * page;
        // Whole pages only at the end: the last page may hold the start of what is read next.
        Advise(first, ((long)part.Pointer + part.Length) / page * page, MadvDontNeed);
    }

    private void Advise(long first, long end, int advice)
    {
        if (_start == null || end <= first || !(OperatingSystem.IsLinux() || OperatingSystem.IsMacOS())) return;
        // Advice only: where the system does not take it nothing is wrong.
        _ = Advise((void*)first, (nuint)(end - first), advice);
    }

    public void Dispose()
    {
        if (_view is null) return;
        if (!_view.SafeMemoryMappedViewHandle.IsClosed) _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file?.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* address, nuint length, int advice);
}
