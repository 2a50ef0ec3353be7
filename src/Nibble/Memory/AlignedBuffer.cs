using System.Runtime.InteropServices;

namespace Nibble.Memory;

/// <summary>Zeroed memory outside the garbage-collected heap, aligned to 64 bytes (one cache line, one 512-bit vector); of any length.</summary>
public sealed unsafe class AlignedBuffer : IDisposable
{
    private const int Alignment = 64;
    private byte* _start;

    /// <param name="length">Bytes to allocate.</param>
    public AlignedBuffer(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = length;
        _start = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(length, 1), Alignment);
        NativeMemory.Clear(_start, (nuint)length);
        if (length > 0) GC.AddMemoryPressure(length);
    }

    ~AlignedBuffer() => Free();

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
        if (first < 0 || count < 0 || (first + count) * sizeof(T) > Length) throw new ArgumentOutOfRangeException(nameof(first));
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
}
