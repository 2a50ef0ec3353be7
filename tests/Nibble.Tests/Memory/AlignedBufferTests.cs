using Nibble.Memory;

namespace Nibble.Tests.Memory;

public sealed unsafe class AlignedBufferTests
{
    /// <summary>Smaller and larger than what buffers in large pages are cut from.</summary>
    private static readonly long[] s_lengths = [1, 100, 5_000_000, 64 << 20, 0, 3 << 20, 70_000_000, 12_345];

    [Fact]
    public void Buffers_in_large_pages_lie_apart_and_outlive_their_neighbours()
    {
        AlignedBuffer[] buffers = [.. s_lengths.Select(AlignedBuffer.ForStreaming)];
        for (int i = 0; i < buffers.Length; i++)
        {
            Assert.Equal(s_lengths[i], buffers[i].Length);
            Assert.Equal(0, (long)buffers[i].Pointer % 64);
            Bytes(buffers[i]).Fill((byte)(i + 1));
        }
        for (int i = 0; i < buffers.Length; i++)
        {
            Assert.Equal(-1, Bytes(buffers[i]).IndexOfAnyExcept((byte)(i + 1)));
            if (i % 2 == 0) buffers[i].Dispose();
        }
        for (int i = 1; i < buffers.Length; i += 2)
        {
            using AlignedBuffer later = AlignedBuffer.ForStreaming(s_lengths[i]);
            Bytes(later).Clear();
            Assert.Equal(-1, Bytes(buffers[i]).IndexOfAnyExcept((byte)(i + 1)));
        }
        foreach (AlignedBuffer buffer in buffers) buffer.Dispose(); // some for the second time
        Assert.All(buffers, buffer => Assert.Throws<ObjectDisposedException>(() => buffer.Region));
    }

    [Fact]
    public void What_the_system_does_not_have_is_refused()
    {
        Assert.Contains("not enough memory", Assert.Throws<NibbleException>(() => AlignedBuffer.ForStreaming(1L << 60)).Message, StringComparison.Ordinal);
        Assert.Contains("not enough memory", Assert.Throws<NibbleException>(() => new AlignedBuffer(1L << 60)).Message, StringComparison.Ordinal);
    }

    private static Span<byte> Bytes(AlignedBuffer buffer) => buffer.AsSpan<byte>(0, (int)buffer.Length);
}
