using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Nibble.Memory;

/// <summary>
/// A read-only stretch of memory of any length (a span ends at 2 GiB). It does not own the memory:
/// <see cref="Owner"/> keeps a garbage-collected owner alive, and a <see cref="MappedFile"/> must not be disposed while in use.
/// </summary>
public readonly unsafe struct MemoryRegion
{
    private readonly byte* _start;

    internal MemoryRegion(byte* start, long length, object owner)
    {
        _start = start;
        Length = length;
        Owner = owner;
    }

    /// <summary>Bytes in this region.</summary>
    public long Length { get; }

    /// <summary>What holds the memory: a <see cref="MappedFile"/> or an <see cref="AlignedBuffer"/>.</summary>
    public object? Owner { get; }

    internal byte* Pointer => _start;

    /// <summary>The part that starts at byte <paramref name="offset"/> and has <paramref name="length"/> bytes.</summary>
    public MemoryRegion Slice(long offset, long length)
    {
        if ((ulong)offset > (ulong)Length || (ulong)length > (ulong)(Length - offset))
            throw new ArgumentOutOfRangeException(nameof(offset), $"{offset} + {length} exceeds {Length} bytes");
        return new(_start + offset, length, Owner!);
    }

    /// <summary>The whole region as values of <typeparamref name="T"/>; at most 2^31 - 1 of them.</summary>
    public ReadOnlySpan<T> AsSpan<T>() where T : unmanaged => AsSpan<T>(0, checked((int)(Length / Unsafe.SizeOf<T>())));

    /// <summary>
    /// <paramref name="count"/> values of <typeparamref name="T"/> from the value with index <paramref name="first"/> on.
    /// A span keeps nothing alive: hold on to this region, or to its owner, as long as the span is in use.
    /// </summary>
    public ReadOnlySpan<T> AsSpan<T>(long first, int count) where T : unmanaged
    {
        if (first < 0 || count < 0 || first > Length / sizeof(T) - count) throw new ArgumentOutOfRangeException(nameof(first));
        return MemoryMarshal.CreateReadOnlySpan(ref Unsafe.AsRef<T>(_start + first * sizeof(T)), count);
    }
}
