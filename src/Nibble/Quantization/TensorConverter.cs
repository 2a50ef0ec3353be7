using System.Buffers;
using System.Diagnostics;
using Nibble.Formats;
using Nibble.Memory;

namespace Nibble.Quantization;

/// <summary>Converts rows from one format to another, by way of single precision, on several threads.</summary>
/// <param name="threads">Threads to use, 0 for all.</param>
/// <param name="measure">Whether to measure errors.</param>
internal sealed class TensorConverter(int threads, bool measure) : IDisposable
{
    /// <summary>
    /// Weights that one thread takes at a time: enough to be worth handing out, few enough that their values in single
    /// precision stay in the core's own cache and that all threads end together.
    /// </summary>
    internal const int ValuesAtATime = 1 << 15;

    /// <summary>Weights that are read back at a time: few enough that their values are compared before they leave the first-level cache.</summary>
    private const int ValuesReadBack = 1 << 12;

    private readonly ParallelOptions _options = new() { MaxDegreeOfParallelism = threads == 0 ? Environment.ProcessorCount : threads };
    private AlignedBuffer _result = new(0), _previous = new(0);
    private ErrorSums[] _errors = [];
    private volatile bool _lostValues, _hadNoNumbers;

    /// <summary>Whether some of the values converted last were no finite numbers, or became none.</summary>
    public bool LostValues => _lostValues;

    /// <summary>Whether some of them were NaN or infinite before already.</summary>
    public bool HadNoNumbers => _hadNoNumbers;

    /// <summary>The error of the values converted last, where it is measured; the same whatever the number of threads.</summary>
    public ErrorSums Error { get; private set; }

    /// <param name="data"><c>[rows, columns]</c> in <paramref name="source"/>.</param>
    /// <param name="source">The format they have.</param>
    /// <param name="target">The format they get.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Columns, a multiple of both block sizes.</param>
    /// <param name="importance"><c>[columns]</c>, or empty for none.</param>
    /// <param name="tails">What the tensor stores once, before and after.</param>
    /// <returns>The rows in <paramref name="target"/>, valid until the call after the next, so that they can be written during that.</returns>
    public MemoryRegion Convert(MemoryRegion data, WeightFormat source, WeightFormat target, int rows, int columns, ReadOnlyMemory<float> importance, TensorTails tails)
    {
        Debug.Assert(columns % source.BlockSize == 0 && columns % target.BlockSize == 0, "rows hold whole blocks");
        int sourceRow = checked((int)source.ByteSize(columns)), targetRow = checked((int)target.ByteSize(columns));
        (_result, _previous) = (_previous, _result);
        Grow(ref _result, (long)rows * targetRow);
        AlignedBuffer result = _result;
        int rowsAtATime = Math.Max(1, ValuesAtATime / columns);
        float largest = target == WeightFormat.Of<F16>() ? (float)Half.MaxValue : float.MaxValue;
        int parts = (rows + rowsAtATime - 1) / rowsAtATime;
        if (_errors.Length < parts) _errors = new ErrorSums[parts];
        _lostValues = _hadNoNumbers = false;
        Parallel.For(0, parts, _options, part =>
        {
            int first = part * rowsAtATime, count = Math.Min(rowsAtATime, rows - first);
            float[] buffer = ArrayPool<float>.Shared.Rent(checked(count * columns));
            Span<float> values = buffer.AsSpan(0, count * columns);
            Span<byte> blocks = result.AsSpan<byte>((long)first * targetRow, count * targetRow);
            source.Dequantize(data.AsSpan<byte>((long)first * sourceRow, count * sourceRow), tails.Source.Span, values);
            bool losesValues = ValueRange.AnyAbove(largest, values);
            if (losesValues) _lostValues = true;
            if (losesValues && ValueRange.AnyAbove(float.MaxValue, values)) _hadNoNumbers = true;
            target.Quantize(values, importance.Span, tails.Target.Span, blocks);
            if (measure) _errors[part] = Measure(values, target, blocks, tails.Target.Span, losesValues);
            ArrayPool<float>.Shared.Return(buffer);
        });
        if (measure) Error = _errors.Take(parts).Aggregate(default(ErrorSums), (sum, part) => sum + part); // in the order of the rows
        return result.Region.Slice(0, (long)rows * targetRow);
    }

    public void Dispose()
    {
        _result.Dispose();
        _previous.Dispose();
    }

    private static ErrorSums Measure(ReadOnlySpan<float> source, WeightFormat target, ReadOnlySpan<byte> blocks, ReadOnlySpan<byte> tail, bool hasOthers)
    {
        Debug.Assert(ValuesReadBack % target.BlockSize == 0, "whole blocks are read back");
        Span<float> buffer = stackalloc float[ValuesReadBack];
        ErrorSums sums = default;
        while (!source.IsEmpty)
        {
            int count = Math.Min(source.Length, ValuesReadBack), bytes = (int)target.ByteSize(count);
            Span<float> result = buffer[..count];
            target.Dequantize(blocks[..bytes], tail, result);
            sums += hasOthers ? ErrorSums.OfFinite(source[..count], result) : ErrorSums.Of(source[..count], result);
            source = source[count..];
            blocks = blocks[bytes..];
        }
        return sums;
    }

    private static void Grow(ref AlignedBuffer buffer, long bytes)
    {
        if (buffer.Length >= bytes) return;
        buffer.Dispose();
        buffer = AlignedBuffer.Uninitialized(bytes);
    }
}
