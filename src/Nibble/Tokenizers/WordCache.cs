using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Nibble.Tokenizers;

/// <summary>
/// The tokens of words met before. Each word has one place, 64 bytes wide, that it shares with the words of the same hash:
/// the cache never grows, and looking up costs the same whatever the text. Longer words are not kept.
/// </summary>
internal sealed class WordCache
{
    private const int PlaceBits = 15;
    private const int LongestWord = 24;
    private const int MostTokens = 9;

    private readonly Place[] _places = new Place[1 << PlaceBits];

    /// <summary>Appends the tokens of <paramref name="word"/> where they are known.</summary>
    public bool TryAppend(ReadOnlySpan<byte> word, List<int> ids)
    {
        if (word.Length > LongestWord) return false;
        Key key = new(word);
        ref Place place = ref _places[key.Hash];
        if (place.Length != word.Length || place.Key.First != key.First || place.Key.Second != key.Second || place.Key.Third != key.Third) return false;
        if (place.Count == 1) ids.Add(place.Ids[0]);
        else ids.AddRange(((ReadOnlySpan<int>)place.Ids)[..place.Count]);
        return true;
    }

    public void Add(ReadOnlySpan<byte> word, ReadOnlySpan<int> ids)
    {
        if (word.Length > LongestWord || ids.Length > MostTokens) return;
        Key key = new(word);
        ref Place place = ref _places[key.Hash];
        place.Key = key;
        place.Length = (byte)word.Length;
        place.Count = (byte)ids.Length;
        ids.CopyTo(place.Ids);
    }

    private struct Place
    {
        public Key Key;
        public TokenIds Ids;
        public byte Length;
        public byte Count;
    }

    /// <summary>A word, filled up with zeros.</summary>
    private readonly struct Key
    {
        public readonly ulong First;
        public readonly ulong Second;
        public readonly ulong Third;

        [SkipLocalsInit]
        public Key(ReadOnlySpan<byte> word)
        {
            Span<byte> bytes = stackalloc byte[LongestWord];
            bytes.Clear();
            word.CopyTo(bytes);
            First = MemoryMarshal.Read<ulong>(bytes);
            Second = MemoryMarshal.Read<ulong>(bytes[8..]);
            Third = MemoryMarshal.Read<ulong>(bytes[16..]);
        }

        public int Hash
        {
            get
            {
                ulong hash = First * 0x9E3779B97F4A7C15;
                hash = (hash ^ (hash >> 32) ^ Second) * 0xC2B2AE3D27D4EB4F;
                hash = (hash ^ (hash >> 32) ^ Third) * 0x165667B19E3779F9;
                return (int)(hash >> (64 - PlaceBits));
            }
        }
    }

    [InlineArray(MostTokens)]
    private struct TokenIds
    {
        private int _first;
    }
}
