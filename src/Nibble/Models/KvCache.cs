using System.Numerics.Tensors;
using Nibble.Memory;

namespace Nibble.Models;

/// <summary>
/// Keys and values of the tokens seen so far, in half precision: per layer and key/value head a matrix <c>[capacity, headSize]</c>.
/// Memory that no token has reached yet is not taken from the system.
/// </summary>
public sealed unsafe class KvCache : IDisposable
{
    private readonly AlignedBuffer _keys, _values;
    private readonly long _layerStride;

    /// <param name="layers">Layers of the model.</param>
    /// <param name="heads">Key/value heads of one layer.</param>
    /// <param name="headSize">Values of one head.</param>
    /// <param name="capacity">Tokens it can hold.</param>
    /// <exception cref="NibbleException">The system has not that much memory.</exception>
    public KvCache(int layers, int heads, int headSize, int capacity)
    {
        HeadSize = headSize;
        Capacity = capacity;
        _layerStride = checked((long)heads * capacity * headSize);
        try
        {
            long bytes = checked(layers * _layerStride * sizeof(Half));
            _keys = AlignedBuffer.Uninitialized(bytes);
            _values = AlignedBuffer.Uninitialized(bytes);
        }
        catch (Exception e) when (e is NibbleException or OverflowException)
        {
            _keys?.Dispose();
            double gigabytes = 2.0 * layers * _layerStride * sizeof(Half) / 1e9;
            throw new NibbleException(FormattableString.Invariant($"a context of {capacity} tokens takes {gigabytes:F1} GB of memory, more than there is; take a smaller one (--ctx)"), e);
        }
    }

    public int HeadSize { get; }

    /// <summary>Tokens it can hold.</summary>
    public int Capacity { get; }

    /// <summary>Tokens it holds.</summary>
    public int Length { get; internal set; }

    /// <summary>The keys of a layer and head, <c>[Capacity, HeadSize]</c>.</summary>
    internal Half* Keys(int layer, int head) => (Half*)_keys.Pointer + Offset(layer, head);

    /// <summary>The values of a layer and head, <c>[Capacity, HeadSize]</c>.</summary>
    internal Half* Values(int layer, int head) => (Half*)_values.Pointer + Offset(layer, head);

    /// <summary>Stores one token's keys and values, <c>[heads, HeadSize]</c> each.</summary>
    internal void Store(int layer, int position, ReadOnlySpan<float> keys, ReadOnlySpan<float> values)
    {
        for (int head = 0; head * HeadSize < keys.Length; head++)
        {
            TensorPrimitives.ConvertToHalf(keys.Slice(head * HeadSize, HeadSize), new Span<Half>(Keys(layer, head) + (long)position * HeadSize, HeadSize));
            TensorPrimitives.ConvertToHalf(values.Slice(head * HeadSize, HeadSize), new Span<Half>(Values(layer, head) + (long)position * HeadSize, HeadSize));
        }
    }

    public void Dispose()
    {
        _keys.Dispose();
        _values.Dispose();
    }

    private long Offset(int layer, int head) => layer * _layerStride + (long)head * Capacity * HeadSize;
}
