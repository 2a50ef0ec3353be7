namespace Nibble.Tokenizers;

/// <summary>The bytes that each token stands for, end to end in one array.</summary>
internal sealed class PieceTable
{
    private readonly byte[] _bytes;
    private readonly int[] _ends;

    /// <param name="count">Number of tokens.</param>
    /// <param name="piece">The bytes of a token.</param>
    /// <param name="source">The file, for error messages.</param>
    public PieceTable(int count, Func<int, ReadOnlyMemory<byte>> piece, string source)
    {
        using MemoryStream bytes = new();
        _ends = new int[count];
        for (int id = 0; id < count; id++)
        {
            ReadOnlyMemory<byte> next = piece(id);
            if (bytes.Length + next.Length > Array.MaxLength) Throw.BadFile(source, "the vocabulary's tokens take more than 2 GB; the file is damaged, download it again");
            bytes.Write(next.Span);
            _ends[id] = (int)bytes.Length;
        }
        _bytes = bytes.ToArray();
    }

    public int Count => _ends.Length;

    public ReadOnlySpan<byte> this[int id]
    {
        get
        {
            int start = id == 0 ? 0 : _ends[id - 1];
            return _bytes.AsSpan(start, _ends[id] - start);
        }
    }
}
