using Nibble.Memory;

namespace Nibble.Files.HuggingFace;

/// <summary>
/// The rows of the query and key matrices of <c>llama</c> models. RoPE turns pairs of values: on Hugging Face value i of a head pairs with
/// value i + size / 2, in GGUF for this architecture with its neighbour, so that the two halves of each head are interleaved:
/// row 2j of a head is row j there, row 2j + 1 is row j + size / 2.
/// </summary>
/// <param name="headSize">Rows of one head; even.</param>
internal readonly struct RowOrder(int headSize)
{
    /// <summary>The row on Hugging Face that becomes row <paramref name="row"/> in GGUF.</summary>
    public long SourceOf(long row)
    {
        long head = row / headSize, within = row % headSize;
        return head * headSize + within % 2 * (headSize / 2) + within / 2;
    }

    /// <summary>Rows <paramref name="firstRow"/> and following of GGUF's order.</summary>
    /// <param name="source">All rows in the order of Hugging Face.</param>
    /// <param name="rowBytes">Bytes of a row.</param>
    /// <param name="firstRow">The first row wanted.</param>
    /// <param name="rows">Rows wanted.</param>
    public MemoryRegion Gather(MemoryRegion source, long rowBytes, long firstRow, long rows)
    {
        long all = source.Length / rowBytes;
        if (firstRow < 0 || rows < 0 || firstRow > all - rows) throw new ArgumentOutOfRangeException(nameof(firstRow));
        AlignedBuffer buffer = AlignedBuffer.Uninitialized(rows * rowBytes);
        for (long row = 0; row < rows; row++)
            source.Slice(SourceOf(firstRow + row) * rowBytes, rowBytes).AsSpan<byte>().CopyTo(buffer.AsSpan<byte>(row * rowBytes, checked((int)rowBytes)));
        return buffer.Region;
    }
}
