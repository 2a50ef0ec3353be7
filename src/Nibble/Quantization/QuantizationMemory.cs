using System.Numerics;

namespace Nibble.Quantization;

/// <summary>Memory that carrying out a plan takes beside what the program itself and the model's metadata take, in bytes.</summary>
/// <param name="Source">Pages of the source: the rows at hand, and those before them until they are written.</param>
/// <param name="Target">Rows in their new formats: those at hand and those being written.</param>
/// <param name="Scratch">Values in single precision, for each thread.</param>
/// <param name="Importance">The importance matrix, with what reading or collecting it took.</param>
public readonly record struct QuantizationMemory(long Source, long Target, long Scratch, long Importance)
{
    /// <summary>Bytes of an importance matrix for each of its values: its mean, its sum, and the sum of the window at hand in double precision.</summary>
    private const int ImportanceBytes = sizeof(float) + sizeof(float) + sizeof(double);

    public long Total => Source + Target + Scratch + Importance;

    /// <param name="plan">The plan.</param>
    /// <param name="threads">Threads to use, 0 for all.</param>
    public static QuantizationMemory Of(QuantizationPlan plan, int threads = 0)
    {
        ArgumentNullException.ThrowIfNull(plan);
        long source = 0, target = 0;
        SortedSet<long> scratch = [];
        foreach (PlannedTensor tensor in plan.Tensors)
        {
            long columns = tensor.Source.Columns, rows = Math.Min(tensor.Source.Rows, Math.Max(1, Quantizer.ChunkValues / columns));
            source = Math.Max(source, 2 * rows * tensor.Source.RowBytes);
            if (!tensor.IsConverted) continue;
            target = Math.Max(target, 2 * rows * tensor.Target.RowBytes);
            // The pool hands out arrays whose lengths are powers of two, and keeps them.
            scratch.Add((long)BitOperations.RoundUpToPowerOf2((ulong)(columns * Math.Max(1, Math.Min(rows, TensorConverter.ValuesAtATime / columns)))));
        }
        long importance = plan.Options.Importance?.Values.Sum(values => (long)values.Length) ?? 0;
        return new(source, target, (threads == 0 ? Environment.ProcessorCount : threads) * sizeof(float) * scratch.Sum(), ImportanceBytes * importance);
    }
}
