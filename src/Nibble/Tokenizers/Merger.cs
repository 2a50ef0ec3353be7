namespace Nibble.Tokenizers;

/// <summary>A stretch of a word that merges have made so far.</summary>
/// <param name="Id">Its token, or -1.</param>
/// <param name="Start">Where it begins, in bytes from the start of the word.</param>
/// <param name="Length">Its bytes.</param>
internal readonly record struct Symbol(int Id, int Start, int Length)
{
    public int End => Start + Length;
}

/// <summary>Which neighbours merge, and in which order.</summary>
internal interface IMergeRule
{
    /// <summary>The place of this merge in the order, lowest first, or <see cref="Merger.Never"/>; and the token it makes.</summary>
    int Rank(Symbol left, Symbol right, out int product);
}

/// <summary>
/// Merges neighbours in a word until none may merge: always the pair of the lowest rank, of equals the leftmost.
/// A short word is searched from end to end for every merge; a long one keeps its pairs in a heap, so that a megabyte
/// without a space takes n log n steps.
/// </summary>
internal sealed class Merger
{
    public const int Never = int.MaxValue;

    private const int LongestToSearch = 64;

    private readonly PriorityQueue<int, ulong> _heap = new();
    private Symbol[] _symbols = new Symbol[256];
    private int[] _ranks = new int[256];
    private int[] _products = new int[256];
    private int[] _next = [];
    private int[] _previous = [];

    /// <summary>The symbols of the word to merge, to be filled in by the caller.</summary>
    /// <param name="count">How many there may be.</param>
    public Span<Symbol> Symbols(int count)
    {
        if (count > _symbols.Length)
        {
            int capacity = Math.Max(count, _symbols.Length * 2);
            _symbols = new Symbol[capacity];
            _ranks = new int[capacity];
            _products = new int[capacity];
        }
        return _symbols.AsSpan(0, count);
    }

    /// <summary>Merges the first <paramref name="count"/> symbols; the outcome stays valid until the next word.</summary>
    public ReadOnlySpan<Symbol> Merge<TRule>(TRule rule, int count) where TRule : IMergeRule, allows ref struct =>
        _symbols.AsSpan(0, count <= LongestToSearch ? Search(rule, count) : Heap(rule, count));

    private int Search<TRule>(TRule rule, int count) where TRule : IMergeRule, allows ref struct
    {
        Span<Symbol> symbols = _symbols;
        Span<int> ranks = _ranks;
        Span<int> products = _products;
        for (int i = 0; i + 1 < count; i++) ranks[i] = rule.Rank(symbols[i], symbols[i + 1], out products[i]);
        while (count > 1)
        {
            int best = 0;
            for (int i = 1; i < count - 1; i++)
                if (ranks[i] < ranks[best]) best = i;
            if (ranks[best] == Never) break;

            symbols[best] = Join(symbols[best], symbols[best + 1], products[best]);
            count--;
            symbols[(best + 2)..(count + 1)].CopyTo(symbols[(best + 1)..]);
            if (best + 1 < count)
            {
                ranks[(best + 1)..count].CopyTo(ranks[best..]);
                products[(best + 1)..count].CopyTo(products[best..]);
                ranks[best] = rule.Rank(symbols[best], symbols[best + 1], out products[best]);
            }
            if (best > 0) ranks[best - 1] = rule.Rank(symbols[best - 1], symbols[best], out products[best - 1]);
        }
        return count;
    }

    private int Heap<TRule>(TRule rule, int count) where TRule : IMergeRule, allows ref struct
    {
        if (_next.Length < count)
        {
            _next = new int[_symbols.Length];
            _previous = new int[_symbols.Length];
        }
        _heap.Clear();
        for (int i = 0; i < count; i++)
        {
            _previous[i] = i - 1;
            _next[i] = i + 1 < count ? i + 1 : -1;
        }
        for (int i = 0; i < count; i++) Offer(rule, i);

        while (_heap.TryDequeue(out int left, out ulong priority))
        {
            if ((ulong)_ranks[left] != priority >> 32) continue; // the pair has changed since it was offered
            int right = _next[left];
            _symbols[left] = Join(_symbols[left], _symbols[right], _products[left]);
            _ranks[right] = Never;
            _next[left] = _next[right];
            if (_next[left] >= 0) _previous[_next[left]] = left;
            Offer(rule, left);
            if (_previous[left] >= 0) Offer(rule, _previous[left]);
        }

        int kept = 0;
        for (int i = 0; i >= 0; i = _next[i]) _symbols[kept++] = _symbols[i];
        return kept;
    }

    private void Offer<TRule>(TRule rule, int left) where TRule : IMergeRule, allows ref struct
    {
        int right = _next[left];
        int rank = right < 0 ? Never : rule.Rank(_symbols[left], _symbols[right], out _products[left]);
        _ranks[left] = rank;
        if (rank != Never) _heap.Enqueue(left, ((ulong)rank << 32) | (uint)left);
    }

    private static Symbol Join(Symbol left, Symbol right, int product) => new(product, left.Start, left.Length + right.Length);
}
