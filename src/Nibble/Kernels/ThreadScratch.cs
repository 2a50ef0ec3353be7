using Nibble.Memory;

namespace Nibble.Kernels;

/// <summary>Memory in which a thread works while it does an item; it stays with the thread for the next one.</summary>
internal static unsafe class ThreadScratch
{
    [ThreadStatic]
    private static AlignedBuffer? s_buffer;

    /// <summary>At least <paramref name="bytes"/> bytes, undefined, until the thread asks again.</summary>
    public static byte* Take(long bytes)
    {
        if (s_buffer is null || s_buffer.Length < bytes)
        {
            s_buffer?.Dispose();
            s_buffer = AlignedBuffer.Uninitialized(bytes);
        }
        return s_buffer.Pointer;
    }
}
