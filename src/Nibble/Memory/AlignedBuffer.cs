using System.Runtime.InteropServices;

namespace Nibble.Memory;

/// <summary>Memory outside the garbage-collected heap, aligned to 64 bytes (one cache line, one 512-bit vector); of any length, zeroed unless asked for otherwise.</summary>
public sealed unsafe class AlignedBuffer : IDisposable
{
    private const int Alignment = 64;
    private readonly LargePages? _pages; // in which it lies, where it is not by itself
    private byte* _start;

    /// <param name="length">Bytes to allocate.</param>
    /// <exception cref="NibbleException">The system has not that much memory.</exception>
    public AlignedBuffer(long length) : this(length, inLargePages: false) => NativeMemory.Clear(_start, (nuint)length);

    private AlignedBuffer(long length, bool inLargePages)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = length;
        try
        {
            _start = inLargePages ? LargePages.Take(length, out _pages) : (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(length, 1), Alignment);
        }
        catch (OutOfMemoryException e)
        {
            GC.SuppressFinalize(this);
            throw new NibbleException($"not enough memory: {length / 1e9:F1} GB more were needed", e);
        }
        if (length > 0) GC.AddMemoryPressure(length);
    }

    ~AlignedBuffer() => Free();

    /// <summary>A buffer whose bytes are undefined; the system provides its memory as it is written.</summary>
    public static AlignedBuffer Uninitialized(long length) => new(length, inLargePages: false);

    /// <summary>
    /// As <see cref="Uninitialized"/>, for what is read from one end to the other again and again: on Linux in large pages, of which the system
    /// keeps track with less effort. Its memory may be given back only with that of other such buffers.
    /// </summary>
    public static AlignedBuffer ForStreaming(long length) => new(length, inLargePages: OperatingSystem.IsLinux());

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
        if (_pages is not null) _pages.GiveBack();
        else NativeMemory.AlignedFree(_start);
        _start = null;
        if (Length > 0) GC.RemoveMemoryPressure(Length);
    }
}
