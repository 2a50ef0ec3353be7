using System.Numerics;
using System.Runtime.InteropServices;

namespace Nibble.Tokenizers;

/// <summary>From the bytes of a piece to its token: a hash table with open addressing over a <see cref="PieceTable"/>.</summary>
internal sealed class TokenMap
{
    private readonly PieceTable _pieces;

    // A slot holds the hash in its upper half and id + 1 in its lower half; 0 is empty.
    private readonly ulong[] _slots;
    private readonly int _mask;

    public TokenMap(PieceTable pieces)
    {
        _pieces = pieces;
        _slots = new ulong[BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, checked(pieces.Count * 2)))];
        _mask = _slots.Length - 1;
    }

    /// <summary>Bytes of the longest piece in the map.</summary>
    public int LongestPiece { get; private set; }

    /// <summary>Adds a token, unless its piece is empty or already there.</summary>
    public void Add(int id)
    {
        ReadOnlySpan<byte> piece = _pieces[id];
        if (piece.IsEmpty) return;
        uint hash = Hash(piece);
        int slot = (int)hash & _mask;
        for (; _slots[slot] != 0; slot = (slot + 1) & _mask)
            if ((uint)(_slots[slot] >> 32) == hash && _pieces[(int)(uint)_slots[slot] - 1].SequenceEqual(piece)) return;
        _slots[slot] = ((ulong)hash << 32) | (uint)(id + 1);
        LongestPiece = Math.Max(LongestPiece, piece.Length);
    }

    /// <summary>The token whose piece is <paramref name="piece"/>, or -1.</summary>
    public int Find(ReadOnlySpan<byte> piece)
    {
        if (piece.Length > LongestPiece) return -1;
        uint hash = Hash(piece);
        for (int slot = (int)hash & _mask; _slots[slot] != 0; slot = (slot + 1) & _mask)
        {
            ulong found = _slots[slot];
            if ((uint)(found >> 32) != hash) continue;
            int id = (int)(uint)found - 1;
            if (_pieces[id].SequenceEqual(piece)) return id;
        }
        return -1;
    }

    private static uint Hash(ReadOnlySpan<byte> bytes)
    {
        const ulong Factor = 0x9E3779B97F4A7C15; // 2^64 divided by the golden ratio
        ulong hash = (ulong)bytes.Length * Factor;
        while (bytes.Length >= 8)
        {
            hash = Mix(hash ^ MemoryMarshal.Read<ulong>(bytes));
            bytes = bytes[8..];
        }
        ulong rest = 0;
        for (int i = 0; i < bytes.Length; i++) rest |= (ulong)bytes[i] << (8 * i);
        return (uint)(Mix(hash ^ rest) >> 32);

        static ulong Mix(ulong value)
        {
            value *= Factor;
            return value ^ (value >> 29);
        }
    }
}
