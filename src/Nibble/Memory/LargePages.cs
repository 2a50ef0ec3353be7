using System.Runtime.InteropServices;

namespace Nibble.Memory;

/// <summary>
/// A stretch of memory in large pages (2 MiB) of Linux, from which buffers are cut one after the other: the matrices of a model, which are read
/// in that order for every token. Most are no multiple of a large page, so that each by itself would end in many small ones, from which
/// memory delivers half as much. What is not used yet takes no memory; all is given back with the last of its buffers.
/// </summary>
internal sealed unsafe partial class LargePages
{
    private const int PageBytes = 2 << 20, UsualBytes = 256 << 20;

    /// <summary>Two cache lines, which some processors fetch together.</summary>
    private const int Alignment = 128;

    private static readonly Lock s_lock = new();
    private static LargePages? s_current;

    private readonly byte* _start;
    private readonly long _length;
    private long _used;
    private int _buffers;

    /// <exception cref="OutOfMemoryException">The system has not that much memory.</exception>
    private LargePages(long length)
    {
        const int MadvHugePage = 14;
        _start = (byte*)NativeMemory.AlignedAlloc((nuint)length, PageBytes);
        _length = length;
        _ = Advise(_start, (nuint)length, MadvHugePage); // where the system has none, nothing is lost
    }

    /// <summary>The first of <paramref name="length"/> bytes, and the stretch that they are in, to be told when they are no longer needed.</summary>
    /// <exception cref="OutOfMemoryException">The system has not that much memory.</exception>
    public static byte* Take(long length, out LargePages pages)
    {
        lock (s_lock)
        {
            long bytes = RoundUp(length, Alignment);
            if (s_current is null || s_current._length - s_current._used < bytes) s_current = new(Math.Max(UsualBytes, RoundUp(bytes, PageBytes)));
            pages = s_current;
            byte* first = pages._start + pages._used;
            pages._used += bytes;
            pages._buffers++;
            return first;
        }
    }

    /// <summary>Ends the use of one buffer.</summary>
    public void GiveBack()
    {
        lock (s_lock)
        {
            if (--_buffers > 0) return;
            if (s_current == this) s_current = null;
            NativeMemory.AlignedFree(_start);
        }
    }

    private static long RoundUp(long bytes, int unit) => checked(bytes + unit - 1) / unit * unit;

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* address, nuint length, int advice);
}
