using Nibble.Files;
using Nibble.Files.Gguf;
using Nibble.Memory;

namespace Nibble.Quantization;

/// <summary>How far quantizing has come.</summary>
/// <param name="Tensor">The tensor at work.</param>
/// <param name="Index">Its place in the plan.</param>
/// <param name="ValuesDone">Weights done so far.</param>
/// <param name="ValuesTotal">Weights of the model.</param>
public readonly record struct QuantizationProgress(PlannedTensor Tensor, int Index, long ValuesDone, long ValuesTotal);

/// <summary>
/// Writes a model with its tensors in other formats. Source and target stream through buffers of a fixed size: while one
/// chunk is converted, the one before it is written and the next is read.
/// </summary>
public static class Quantizer
{
    /// <summary>Weights of a chunk. More does not make it faster, and memory stays small for any model.</summary>
    private const int ChunkValues = 4 << 20;

    /// <summary>Longest row that is converted: beyond any model, and few enough for the buffers of one row.</summary>
    private const long LongestRow = 1 << 28;

    /// <summary>Quantizes a model, GGUF or a folder as published on Hugging Face, in the background.</summary>
    /// <param name="source">The model.</param>
    /// <param name="recipe">A recipe's name, such as <c>Q4_K_M</c>.</param>
    /// <param name="target">The GGUF file to write; it appears only when it is complete.</param>
    /// <param name="progress">Told after every chunk.</param>
    /// <param name="cancellationToken">Stops within a fraction of a second and leaves no file.</param>
    /// <returns>What was done.</returns>
    /// <exception cref="NibbleException">The source cannot be read, the recipe is unknown, or the target cannot be written.</exception>
    public static Task<QuantizationPlan> QuantizeAsync(string source, string recipe, string target,
        IProgress<QuantizationProgress>? progress = null, CancellationToken cancellationToken = default) =>
        Task.Run(() =>
        {
            using ModelFile file = ModelFile.Open(source);
            QuantizationPlan plan = QuantizationPlan.Create(file, Recipe.Parse(recipe));
            Write(file, plan, target, progress: progress, cancellationToken: cancellationToken);
            return plan;
        }, cancellationToken);

    /// <summary>Carries out a plan.</summary>
    /// <param name="file">The model the plan was made for.</param>
    /// <param name="plan">What to write.</param>
    /// <param name="target">The GGUF file to write; it appears only when it is complete.</param>
    /// <param name="importance">For tensors by name, how much each column matters, <c>[columns]</c>; tensors without are quantized as if all did equally.</param>
    /// <param name="threads">Threads to use, 0 for all; the bytes written do not depend on it.</param>
    /// <param name="progress">Told after every chunk.</param>
    /// <param name="cancellationToken">Stops after the chunk at hand and leaves no file.</param>
    /// <exception cref="NibbleException">A tensor has values that are no finite numbers, or that its new format cannot hold; or the target cannot be written.</exception>
    public static void Write(ModelFile file, QuantizationPlan plan, string target, IReadOnlyDictionary<string, float[]>? importance = null,
        int threads = 0, IProgress<QuantizationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(plan);
        using GgufWriter writer = GgufWriter.Create(target, plan.Metadata, plan.Tensors.Select(t => t.Target).ToArray());
        using TensorConverter converter = new(threads);
        Chunk[] chunks = [.. plan.Tensors.Select(Check).SelectMany(Cut)];
        long total = plan.Tensors.Sum(t => t.Target.Count), done = 0;
        Task output = Task.CompletedTask;
        try
        {
            for (int i = 0; i < chunks.Length; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                Chunk chunk = chunks[i];
                PlannedTensor tensor = plan.Tensors[chunk.Tensor];
                Chunk? next = i + 1 < chunks.Length ? chunks[i + 1] : null;
                MemoryRegion data = file.Read(tensor.Source, chunk.FirstRow, chunk.Rows);
                MemoryRegion result = tensor.IsConverted
                    ? converter.Convert(data, tensor.Source.Format!, tensor.Target.Format!, (int)chunk.Rows, (int)tensor.Source.Columns, ImportanceOf(tensor))
                    : data;
                if (tensor.IsConverted && converter.LostValues)
                    Throw.BadFile(file.Path, $"tensor '{tensor.Source.Name}' has values that are no finite numbers, or too large for {tensor.Target.Format}; the file is damaged, or wants another type, such as BF16");
                output.GetAwaiter().GetResult();
                output = Task.Run(() =>
                {
                    if (next is { } soon) file.Prefetch(plan.Tensors[soon.Tensor].Source, soon.FirstRow, soon.Rows);
                    writer.Write(result.AsSpan<byte>());
                    file.Release(data);
                }, CancellationToken.None);
                done += chunk.Rows * tensor.Source.Columns;
                progress?.Report(new(tensor, chunk.Tensor, done, total));
            }
            output.GetAwaiter().GetResult();
        }
        finally
        {
            Task.WhenAny(output).GetAwaiter().GetResult(); // what it uses is about to go
        }
        writer.Commit();

        float[]? ImportanceOf(PlannedTensor tensor) => importance?.GetValueOrDefault(tensor.Source.Name);

        PlannedTensor Check(PlannedTensor tensor)
        {
            if (tensor.Source.Columns > LongestRow)
                Throw.BadFile(file.Path, $"tensor '{tensor.Source.Name}' has rows of {tensor.Source.Columns:N0} values, which no model has; the file is damaged, download it again");
            if (ImportanceOf(tensor) is { } columns && columns.Length != tensor.Source.Columns)
                Throw.BadInput($"the importance of tensor '{tensor.Source.Name}' has {columns.Length} values where the tensor has {tensor.Source.Columns} columns; it is another model's");
            return tensor;
        }
    }

    private static IEnumerable<Chunk> Cut(PlannedTensor tensor, int index)
    {
        long rowsAtATime = Math.Max(1, ChunkValues / tensor.Source.Columns);
        for (long row = 0; row < tensor.Source.Rows; row += rowsAtATime)
            yield return new(index, row, Math.Min(rowsAtATime, tensor.Source.Rows - row));
    }

    /// <summary>Rows of the tensor with that index in the plan.</summary>
    private readonly record struct Chunk(int Tensor, long FirstRow, long Rows);
}
