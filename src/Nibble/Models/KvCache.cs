using Nibble.Memory;

namespace Nibble.Models;

/// <summary>
/// Keys and values of the tokens seen so far: per layer and key/value head a matrix <c>[capacity, headSize]</c> of blocks.
/// Memory that no token has reached yet is not taken from the system.
/// </summary>
public sealed unsafe class KvCache : IDisposable
{
    private readonly AlignedBuffer _keys, _values;
    private readonly int _heads, _keyBytes, _valueBytes;

    /// <param name="layers">Layers of the model.</param>
    /// <param name="heads">Key/value heads of one layer.</param>
    /// <param name="headSize">Values of one head.</param>
    /// <param name="capacity">Tokens it can hold.</param>
    /// <param name="options">How they are stored.</param>
    /// <exception cref="NibbleException">The system has not that much memory, or heads of this size cannot be stored so.</exception>
    public KvCache(int layers, int heads, int headSize, int capacity, CacheOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate(headSize);
        Options = options;
        HeadSize = headSize;
        Capacity = capacity;
        _heads = heads;
        _keyBytes = checked((int)options.KeyFormat.ByteSize(headSize));
        _valueBytes = checked((int)options.ValueFormat.ByteSize(headSize));
        try
        {
            long rows = checked((long)layers * heads * capacity);
            _keys = AlignedBuffer.Uninitialized(checked(rows * _keyBytes));
            _values = AlignedBuffer.Uninitialized(checked(rows * _valueBytes));
        }
        catch (Exception e) when (e is NibbleException or OverflowException)
        {
            _keys?.Dispose();
            double gigabytes = (double)layers * heads * capacity * (_keyBytes + _valueBytes) / 1e9;
            throw new NibbleException(FormattableString.Invariant($"a context of {capacity} tokens takes {gigabytes:F1} GB of memory, more than there is; take a smaller one (--ctx) or a smaller type (--cache-type)"), e);
        }
    }

    public CacheOptions Options { get; }

    public int HeadSize { get; }

    /// <summary>Tokens it can hold.</summary>
    public int Capacity { get; }

    /// <summary>Tokens it holds.</summary>
    public int Length { get; internal set; }

    /// <summary>Bytes of all that it can hold.</summary>
    public long Bytes => _keys.Length + _values.Length;

    /// <summary>Bytes from the keys of one head to those of the next.</summary>
    internal long KeyStride => (long)Capacity * _keyBytes;

    /// <summary>Bytes from the values of one head to those of the next.</summary>
    internal long ValueStride => (long)Capacity * _valueBytes;

    /// <summary>The keys of a layer and head, <c>[Capacity, HeadSize]</c>.</summary>
    internal byte* Keys(int layer, int head) => _keys.Pointer + ((long)layer * _heads + head) * KeyStride;

    /// <summary>The values of a layer and head, <c>[Capacity, HeadSize]</c>.</summary>
    internal byte* Values(int layer, int head) => _values.Pointer + ((long)layer * _heads + head) * ValueStride;

    /// <summary>Stores one token's keys and values, <c>[heads, HeadSize]</c> each.</summary>
    internal void Store(int layer, int position, ReadOnlySpan<float> keys, ReadOnlySpan<float> values)
    {
        for (int head = 0; head < _heads; head++)
        {
            Options.KeyFormat.Quantize(keys.Slice(head * HeadSize, HeadSize), [], new Span<byte>(Keys(layer, head) + (long)position * _keyBytes, _keyBytes));
            Options.ValueFormat.Quantize(values.Slice(head * HeadSize, HeadSize), [], new Span<byte>(Values(layer, head) + (long)position * _valueBytes, _valueBytes));
        }
    }

    public void Dispose()
    {
        _keys.Dispose();
        _values.Dispose();
    }
}
