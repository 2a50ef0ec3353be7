using Nibble.Memory;

namespace Nibble.Kernels;

/// <summary>Memory in which a thread works while it does an item; it stays with the thread for the next one.</summary>
internal static unsafe class ThreadScratch
{
    [ThreadStatic]
    private static AlignedBuffer? t_buffer;

    /// <summary>At least <paramref name="bytes"/> bytes, undefined, until the thread asks again.</summary>
    public static byte* Take(long bytes)
    {
        if (t_buffer is null || t_buffer.Length < bytes)
        {
            t_buffer?.Dispose();
            t_buffer = AlignedBuffer.Uninitialized(bytes);
        }
        return t_buffer.Pointer;
    }
}
