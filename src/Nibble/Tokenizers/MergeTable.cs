using System.Numerics;

namespace Nibble.Tokenizers;

/// <summary>From a pair of symbols to the place of their merge in the order and the symbol it makes: a hash table with open addressing.</summary>
internal sealed class MergeTable
{
    private readonly Entry[] _entries;
    private readonly int _mask;

    /// <param name="count">The most merges there will be.</param>
    public MergeTable(int count)
    {
        _entries = new Entry[BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, checked(count * 2)))];
        _mask = _entries.Length - 1;
    }

    /// <summary>Adds a merge, unless the pair has one of a lower rank, that is an earlier one.</summary>
    public void Add(int left, int right, int rank, int product)
    {
        ulong key = Key(left, right);
        int slot = Slot(key);
        for (; _entries[slot].Key != 0; slot = (slot + 1) & _mask)
            if (_entries[slot].Key == key) return;
        _entries[slot] = new(key, rank, product);
    }

    /// <summary>The rank of a pair's merge, or <see cref="Merger.Never"/>.</summary>
    public int Rank(int left, int right, out int product)
    {
        ulong key = Key(left, right);
        for (int slot = Slot(key); _entries[slot].Key != 0; slot = (slot + 1) & _mask)
        {
            ref readonly Entry entry = ref _entries[slot];
            if (entry.Key != key) continue;
            product = entry.Product;
            return entry.Rank;
        }
        product = -1;
        return Merger.Never;
    }

    // Ids are not negative, so that with one more on the left no key is 0, which marks an empty entry.
    private static ulong Key(int left, int right) => ((ulong)(left + 1) << 32) | (uint)right;

    private int Slot(ulong key)
    {
        ulong hash = key * 0x9E3779B97F4A7C15;
        return (int)((hash ^ (hash >> 32)) & (uint)_mask);
    }

    private readonly record struct Entry(ulong Key, int Rank, int Product);
}
