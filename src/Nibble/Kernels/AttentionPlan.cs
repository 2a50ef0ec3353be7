using Nibble.Memory;

namespace Nibble.Kernels;

/// <summary>Tokens of a batch that follow one another in one text, and where the keys and values of that text are.</summary>
internal unsafe struct AttentionSegment
{
    /// <summary>The first of them, in the batch.</summary>
    public int FirstToken;

    public int Tokens;

    /// <summary>Position of the first of them in its text.</summary>
    public int FirstPosition;

    /// <summary>Rows of the first key/value head in the layer at hand.</summary>
    public byte* Keys, Values;

    /// <summary>Bytes from one head to the next.</summary>
    public long KeyStride, ValueStride;
}

/// <summary>What a thread does at a time: one key/value head of a few tokens of a segment, over some or all of the keys they see.</summary>
internal struct AttentionItem
{
    public int Segment;

    /// <summary>The first token, in the segment.</summary>
    public int FirstToken;

    public int Tokens;
    public int KeyHead;

    /// <summary>Runs of <see cref="AttentionPlan.ChunkKeys"/> keys.</summary>
    public int FirstChunk, Chunks;

    /// <summary>Which of how many items for these tokens and this head; they follow one another.</summary>
    public int Part, Parts;
}

/// <summary>
/// How attention over a batch is cut into items. Keys are passed in chunks that begin at fixed positions, and what the chunks give is
/// put together in their order; so a result depends neither on the number of threads nor on how many chunks are an item.
/// </summary>
internal sealed class AttentionPlan : IDisposable
{
    /// <summary>Keys of a chunk: enough that putting chunks together costs nothing, few enough that a text of some thousand tokens employs several threads.</summary>
    public const int ChunkKeys = 512;

    /// <summary>Tokens of an item: what is converted serves all of them.</summary>
    private const int TokensAtATime = 8;

    /// <summary>Queries of an item, where few heads share a key head: as many as make converting cheap beside multiplying.</summary>
    private const int FewestQueries = 32;

    /// <summary>So many items for each thread keep all of them busy to the end.</summary>
    private const int ItemsPerThread = 4;

    private readonly record struct Shape(int QueryHeads, int KeyHeads, int HeadSize, int Window, int Threads);

    private AttentionSegment[] _segments = new AttentionSegment[1];
    private AttentionItem[] _items = new AttentionItem[1];
    private AlignedBuffer _partials = AlignedBuffer.Uninitialized(0);
    private Shape? _shape;

    public int SegmentCount { get; private set; }

    public int ItemCount { get; private set; }

    /// <summary>Whether some tokens are in several items, whose partial results must be put together.</summary>
    public bool IsSplit { get; private set; }

    /// <summary>Numbers of one partial result.</summary>
    public long PartialSize { get; private set; }

    public ReadOnlySpan<AttentionSegment> Segments => _segments.AsSpan(0, SegmentCount);

    public ReadOnlySpan<AttentionItem> Items => _items.AsSpan(0, ItemCount);

    /// <summary>Begins a batch.</summary>
    public void Clear()
    {
        SegmentCount = 0;
        _shape = null;
    }

    /// <summary>Adds the next tokens of the batch.</summary>
    public void Add(int firstToken, int tokens, int firstPosition)
    {
        if (SegmentCount == _segments.Length) Array.Resize(ref _segments, 2 * SegmentCount);
        _segments[SegmentCount++] = new() { FirstToken = firstToken, Tokens = tokens, FirstPosition = firstPosition };
    }

    /// <summary>Says where a segment's keys and values are.</summary>
    public unsafe void Place(int segment, byte* keys, long keyStride, byte* values, long valueStride)
    {
        ref AttentionSegment s = ref _segments[segment];
        s.Keys = keys;
        s.Values = values;
        (s.KeyStride, s.ValueStride) = (keyStride, valueStride);
    }

    /// <summary>Where an item leaves its partial result.</summary>
    public unsafe float* Partial(int item) => (float*)_partials.Pointer + item * PartialSize;

    /// <summary>Cuts the batch into items for a layer of this shape; nothing is done where it was the shape of the last layer.</summary>
    public void Cut(int queryHeads, int keyHeads, int headSize, int window, int threads)
    {
        Shape shape = new(queryHeads, keyHeads, headSize, window, threads);
        if (_shape == shape) return;
        _shape = shape;
        int sharing = queryHeads / keyHeads, tokensAtATime = Math.Max(TokensAtATime, FewestQueries / sharing);
        int groups = 0, longest = 0;
        foreach (ref readonly AttentionSegment segment in Segments)
        {
            groups += (segment.Tokens + tokensAtATime - 1) / tokensAtATime * keyHeads;
            longest = Math.Max(longest, Math.Min(tokensAtATime, segment.Tokens));
        }
        bool splits = threads > 1 && groups < ItemsPerThread * threads;
        ItemCount = 0;
        IsSplit = false;
        for (int s = 0; s < SegmentCount; s++)
            for (int first = 0; first < _segments[s].Tokens; first += tokensAtATime)
                for (int head = 0; head < keyHeads; head++) Add(s, first, Math.Min(tokensAtATime, _segments[s].Tokens - first), head, window, splits);
        if (!IsSplit) return;
        PartialSize = AttentionState.Size(longest * sharing, headSize);
        long bytes = checked(ItemCount * PartialSize * sizeof(float));
        if (_partials.Length >= bytes) return;
        _partials.Dispose();
        _partials = AlignedBuffer.Uninitialized(2 * bytes); // the text grows
    }

    public void Dispose() => _partials.Dispose();

    private void Add(int segment, int first, int tokens, int keyHead, int window, bool splits)
    {
        int position = _segments[segment].FirstPosition + first;
        int firstChunk = Math.Max(0, position - window + 1) / ChunkKeys, chunks = (position + tokens - 1) / ChunkKeys + 1 - firstChunk;
        int parts = splits ? chunks : 1;
        IsSplit |= parts > 1;
        if (ItemCount + parts > _items.Length) Array.Resize(ref _items, Math.Max(2 * _items.Length, ItemCount + parts));
        for (int part = 0; part < parts; part++)
        {
            _items[ItemCount++] = new()
            {
                Segment = segment,
                FirstToken = first,
                Tokens = tokens,
                KeyHead = keyHead,
                FirstChunk = firstChunk + part,
                Chunks = chunks / parts,
                Part = part,
                Parts = parts,
            };
        }
    }
}
