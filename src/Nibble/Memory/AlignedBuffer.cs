using System.Runtime.InteropServices;

namespace Nibble.Memory;

/// <summary>Memory outside the garbage-collected heap, aligned to 64 bytes (one cache line, one 512-bit vector); of any length, zeroed unless asked for otherwise.</summary>
public sealed unsafe partial class AlignedBuffer : IDisposable
{
    private const int Alignment = 64, HugePage = 2 << 20;
    private byte* _start;

    /// <param name="length">Bytes to allocate.</param>
    /// <exception cref="NibbleException">The system has not that much memory.</exception>
    public AlignedBuffer(long length) : this(length, zeroed: true) { }

    private AlignedBuffer(long length, bool zeroed, int alignment = Alignment)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = length;
        try
        {
            _start = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(length, 1), (nuint)alignment);
        }
        catch (OutOfMemoryException e)
        {
            GC.SuppressFinalize(this);
            throw new NibbleException($"not enough memory: {length / 1e9:F1} GB more were needed", e);
        }
        if (zeroed) NativeMemory.Clear(_start, (nuint)length);
        if (length > 0) GC.AddMemoryPressure(length);
    }

    ~AlignedBuffer() => Free();

    /// <summary>A buffer whose bytes are undefined; the system provides its memory as it is written.</summary>
    public static AlignedBuffer Uninitialized(long length) => new(length, zeroed: false);

    /// <summary>
    /// As <see cref="Uninitialized"/>, for what is read from one end to the other again and again: asks the system for large pages, of
    /// which it keeps track with less effort. Where it has none, nothing is lost.
    /// </summary>
    public static AlignedBuffer ForStreaming(long length)
    {
        if (length < HugePage || !OperatingSystem.IsLinux()) return Uninitialized(length);
        const int MadvHugePage = 14;
        AlignedBuffer buffer = new(length, zeroed: false, HugePage);
        _ = Advise(buffer.Pointer, (nuint)length, MadvHugePage);
        return buffer;
    }

    public long Length { get; }

    /// <summary>The buffer for reading; the region keeps this buffer alive.</summary>
    public MemoryRegion Region => new(Pointer, Length, this);

    internal byte* Pointer
    {
        get
        {
            ObjectDisposedException.ThrowIf(_start == null, this);
            return _start;
        }
    }

    /// <summary><paramref name="count"/> writable values of <typeparamref name="T"/> from the value with index <paramref name="first"/> on.</summary>
    public Span<T> AsSpan<T>(long first, int count) where T : unmanaged
    {
        if (first < 0 || count < 0 || first > Length / sizeof(T) - count) throw new ArgumentOutOfRangeException(nameof(first));
        return new Span<T>(Pointer + first * sizeof(T), count);
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (_start == null) return;
        NativeMemory.AlignedFree(_start);
        _start = null;
        if (Length > 0) GC.RemoveMemoryPressure(Length);
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* address, nuint length, int advice);
}
