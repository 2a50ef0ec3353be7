using System.Buffers;
using Nibble.Files;
using Nibble.Memory;
using Nibble.Quantization;

namespace Nibble.Evaluation.Comparison.Running;

/// <summary>Measures how far the tensors of a variant are from those of its base, by reading both.</summary>
internal static class TensorComparison
{
    /// <summary>Weights that one thread takes at a time.</summary>
    private const int ValuesAtATime = 1 << 16;

    /// <summary>Weights whose bytes are held at a time, so that memory stays small where pages have to be copied.</summary>
    private const long ValuesTogether = 16 << 20;

    /// <summary>The matrices of both models that have the same name and shape, and another format in the variant.</summary>
    /// <param name="reference">The base.</param>
    /// <param name="variant">The variant.</param>
    /// <param name="threads">Threads to use, 0 for all; the result does not depend on it.</param>
    /// <param name="progress">Told from 0 to 1 how far it is.</param>
    /// <param name="cancellationToken">Stops after the tensor at hand.</param>
    public static TensorFigure[] Measure(ModelFile reference, ModelFile variant, int threads, Action<double> progress, CancellationToken cancellationToken)
    {
        (TensorInfo Before, TensorInfo After)[] pairs =
        [
            .. QuantizationPlan.InOrder(variant).Select(after => (reference.Find(after.Name), after))
                .Where(p => p.Item1 is { Format: not null, Dimensions.Count: > 1 } before && p.after.Format is not null && p.after.Format != before.Format && before.Dimensions.SequenceEqual(p.after.Dimensions))
                .Select(p => (p.Item1!, p.after)),
        ];
        ParallelOptions options = new() { MaxDegreeOfParallelism = threads == 0 ? Environment.ProcessorCount : threads };
        TensorFigure[] figures = new TensorFigure[pairs.Length];
        double total = pairs.Sum(p => (double)p.After.Count), done = 0;
        foreach ((int index, (TensorInfo before, TensorInfo after)) in pairs.Index())
        {
            cancellationToken.ThrowIfCancellationRequested();
            figures[index] = new(after.Name, after.Format!.Name, ErrorOf(reference, before, variant, after, options).RelativeError);
            progress((done += after.Count) / total);
        }
        return figures;
    }

    private static ErrorSums ErrorOf(ModelFile reference, TensorInfo before, ModelFile variant, TensorInfo after, ParallelOptions options)
    {
        byte[] tailBefore = reference.ReadTail(before), tailAfter = variant.ReadTail(after);
        int columns = checked((int)before.Columns);
        long rowsTogether = Math.Max(1, ValuesTogether / columns);
        int rowsAtATime = Math.Max(1, ValuesAtATime / columns);
        ErrorSums sums = default;
        for (long start = 0; start < before.Rows; start += rowsTogether)
        {
            int rows = (int)Math.Min(rowsTogether, before.Rows - start);
            MemoryRegion source = reference.Read(before, start, rows), result = variant.Read(after, start, rows);
            ErrorSums[] parts = new ErrorSums[(rows + rowsAtATime - 1) / rowsAtATime];
            Parallel.For(0, parts.Length, options, part =>
            {
                int first = part * rowsAtATime, count = Math.Min(rowsAtATime, rows - first), values = checked(count * columns);
                float[] x = ArrayPool<float>.Shared.Rent(values), y = ArrayPool<float>.Shared.Rent(values);
                before.Format!.Dequantize(Rows(source, before, first, count), tailBefore, x.AsSpan(0, values));
                after.Format!.Dequantize(Rows(result, after, first, count), tailAfter, y.AsSpan(0, values));
                parts[part] = ErrorSums.OfFinite(x.AsSpan(0, values), y.AsSpan(0, values));
                ArrayPool<float>.Shared.Return(x);
                ArrayPool<float>.Shared.Return(y);
            });
            sums = parts.Aggregate(sums, (sum, part) => sum + part); // in the order of the rows
            reference.Release(source);
            variant.Release(result);
        }
        return sums;
    }

    private static ReadOnlySpan<byte> Rows(MemoryRegion region, TensorInfo tensor, int first, int count)
    {
        long row = tensor.Format!.ByteSize(tensor.Columns);
        return region.AsSpan<byte>(first * row, checked((int)(count * row)));
    }
}
