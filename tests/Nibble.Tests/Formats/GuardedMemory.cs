using System.Runtime.InteropServices;

namespace Nibble.Tests.Formats;

/// <summary>
/// Values whose last byte is followed by a page that may not be touched: reading past the end kills the process instead of
/// passing unnoticed. Needs a Unix system; elsewhere the calling test is skipped.
/// </summary>
internal sealed unsafe partial class GuardedMemory<T> : IDisposable where T : unmanaged
{
    private const int Read = 1, Write = 2, Private = 2;
    private readonly byte* _mapping;
    private readonly nuint _mappingBytes;
    private readonly T* _start;
    private readonly int _length;

    public GuardedMemory(ReadOnlySpan<T> contents)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "guard pages are set up with mmap");
        int anonymous = OperatingSystem.IsMacOS() ? 0x1000 : 0x20;
        nuint page = (nuint)Environment.SystemPageSize;
        nuint bytes = (nuint)(contents.Length * sizeof(T));
        nuint readable = (bytes + page - 1) / page * page;
        _mappingBytes = readable + page;
        _mapping = GuardedMemoryCalls.Map(null, _mappingBytes, Read | Write, Private | anonymous, -1, 0);
        if ((nint)_mapping == -1) throw new InvalidOperationException($"mmap: error {Marshal.GetLastPInvokeError()}");
        if (GuardedMemoryCalls.Protect(_mapping + readable, page, 0) != 0) throw new InvalidOperationException($"mprotect: error {Marshal.GetLastPInvokeError()}");
        _start = (T*)(_mapping + readable - bytes);
        _length = contents.Length;
        contents.CopyTo(Span);
    }

    public Span<T> Span => new(_start, _length);

    public void Dispose()
    {
        if (GuardedMemoryCalls.Unmap(_mapping, _mappingBytes) != 0) throw new InvalidOperationException($"munmap: error {Marshal.GetLastPInvokeError()}");
    }
}

internal static unsafe partial class GuardedMemoryCalls
{
    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    public static partial byte* Map(void* address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    public static partial int Protect(void* address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    public static partial int Unmap(void* address, nuint length);
}
