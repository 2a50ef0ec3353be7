using System.Globalization;
using Nibble.Files;
using Nibble.Memory;
using Nibble.Quantization.Resuming;

namespace Nibble.Quantization;

/// <summary>How far quantizing has come.</summary>
/// <param name="Tensor">The tensor at work.</param>
/// <param name="Index">Its place in the plan.</param>
/// <param name="ValuesDone">Weights done so far.</param>
/// <param name="ValuesTotal">Weights of the model.</param>
public readonly record struct QuantizationProgress(PlannedTensor Tensor, int Index, long ValuesDone, long ValuesTotal)
{
    /// <summary>Whether an interrupted run had finished the tensor, so that its bytes were only checked.</summary>
    public bool IsKept { get; init; }
}

/// <summary>
/// Writes a model with its tensors in other formats. Source and target stream through buffers of a fixed size: while one
/// chunk is converted, the one before it is written and the next is read.
/// </summary>
public static class Quantizer
{
    /// <summary>Weights of a chunk. More does not make it faster, and memory stays small for any model.</summary>
    internal const int ChunkValues = 4 << 20;

    /// <summary>Longest row that is converted: beyond any model, and few enough for the buffers of one row.</summary>
    private const long LongestRow = 1 << 28;

    /// <summary>Quantizes a model, GGUF or a folder as published on Hugging Face, in the background.</summary>
    /// <param name="source">The model.</param>
    /// <param name="recipe">A recipe's name, such as <c>Q4_K_M</c>.</param>
    /// <param name="target">The GGUF file to write; it appears only when it is complete.</param>
    /// <param name="progress">Told after every chunk.</param>
    /// <param name="cancellationToken">Stops within a fraction of a second and leaves no file.</param>
    /// <returns>What came of it, with the error of each tensor.</returns>
    /// <exception cref="NibbleException">The source cannot be read, the recipe is unknown, or the target cannot be written.</exception>
    public static Task<QuantizationResult> QuantizeAsync(string source, string recipe, string target,
        IProgress<QuantizationProgress>? progress = null, CancellationToken cancellationToken = default) =>
        Task.Run(() =>
        {
            using ModelFile file = ModelFile.Open(source);
            return Write(file, QuantizationPlan.Create(file, Recipe.Parse(recipe)), target, progress: progress, cancellationToken: cancellationToken);
        }, cancellationToken);

    /// <summary>Carries out a plan.</summary>
    /// <param name="file">The model the plan was made for.</param>
    /// <param name="plan">What to write.</param>
    /// <param name="target">The GGUF file to write, or what its parts are called after (see <see cref="QuantizationPlan.Files"/>); they appear only when all are complete.</param>
    /// <param name="threads">Threads to use, 0 for all; the bytes written do not depend on it.</param>
    /// <param name="resume">
    /// Whether to keep the tensors that are finished when the run is stopped or fails, in <c>.NAME.partial</c> with a journal beside it, and
    /// to go on from there if an earlier run left them; the result has the same bytes.
    /// </param>
    /// <param name="progress">Told after every chunk.</param>
    /// <param name="cancellationToken">Stops after the chunk at hand and leaves no file, but for what <paramref name="resume"/> keeps.</param>
    /// <returns>What came of it, with the error of each tensor.</returns>
    /// <exception cref="ExcessiveErrorException">A tensor has a larger error than <see cref="QuantizationOptions.MaxError"/>; there is no file.</exception>
    /// <exception cref="NibbleException">A tensor has values that are no finite numbers, or that its new format cannot hold; or the target cannot be written.</exception>
    public static QuantizationResult Write(ModelFile file, QuantizationPlan plan, string target,
        int threads = 0, bool resume = false, IProgress<QuantizationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(plan);
        if (plan.Tensors.FirstOrDefault(t => t.Source.Columns > LongestRow) is { } wide)
            Throw.BadFile(file.Path, $"tensor '{wide.Source.Name}' has rows of {wide.Source.Columns:N0} values, which no model has; the file is damaged, download it again");
        if (plan.Options is { MaxError: not null, Check: false }) Throw.BadInput("an error can only be limited where it is measured; give --max-error without --no-check");
        TensorImportance[] importance = [.. plan.Tensors.Select(t => new TensorImportance(t.Source, plan.Options.Importance))];
        using QuantizationOutput output = new(file, plan, target, resume);
        long total = plan.Tensors.Sum(t => t.Target.Count), done = 0;
        output.KeepFinished((index, values) => progress?.Report(new(plan.Tensors[index], index, done += values, total) { IsKept = true }), cancellationToken);

        using TensorConverter converter = new(threads, plan.Options.Check);
        Chunk[] chunks = [.. plan.Tensors.SelectMany((tensor, index) => output.Kept[index] is null ? Cut(tensor, index, importance[index]) : [])];
        ErrorSums[] errors = [.. output.Kept.Select(kept => kept?.Error ?? default)];
        bool hadLostValues = false;
        TensorTails tails = default;
        Task writing = Task.CompletedTask;
        try
        {
            for (int i = 0; i < chunks.Length; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                Chunk chunk = chunks[i];
                PlannedTensor tensor = plan.Tensors[chunk.Tensor];
                Chunk? next = i + 1 < chunks.Length ? chunks[i + 1] : null;
                if (chunk.FirstRow == 0) tails = TensorTails.Of(file, tensor, importance[chunk.Tensor]);
                ReadOnlyMemory<byte> tail = chunk.FirstRow + chunk.Rows == tensor.Source.Rows ? tails.Target : default;
                MemoryRegion data = file.Read(tensor.Source, chunk.FirstRow, chunk.Rows);
                MemoryRegion result = tensor.IsConverted
                    ? converter.Convert(data, tensor.Source.Format!, tensor.Target.Format!, (int)chunk.Rows, (int)tensor.Source.Columns, importance[chunk.Tensor].At(chunk.FirstRow), tails)
                    : data;
                bool losesValues = tensor.IsConverted && converter.LostValues;
                if (losesValues && !plan.Options.AllowNan)
                    Throw.BadFile(file.Path, $"tensor '{tensor.Source.Name}' {(converter.HadNoNumbers ? "has values that are NaN or infinite; the file is damaged, download or convert it again" : $"has values too large for {tensor.Target.Format}, which ends at {(float)Half.MaxValue}; take another type, such as BF16")}; --allow-nan writes it all the same");
                if (tensor.IsConverted) errors[chunk.Tensor] += converter.Error;
                hadLostValues = losesValues || (chunk.FirstRow > 0 && hadLostValues);
                (bool lost, ErrorSums error) = (hadLostValues, errors[chunk.Tensor]);
                writing.GetAwaiter().GetResult();
                writing = Task.Run(() =>
                {
                    if (next is { } soon) file.Prefetch(plan.Tensors[soon.Tensor].Source, soon.FirstRow, soon.Rows);
                    output.Write(chunk.Tensor, result.AsSpan<byte>());
                    output.Write(chunk.Tensor, tail.Span);
                    if (next?.Tensor != chunk.Tensor) output.Finish(chunk.Tensor, lost, error);
                    file.Release(data);
                }, CancellationToken.None);
                done += chunk.Rows * tensor.Source.Columns;
                progress?.Report(new(tensor, chunk.Tensor, done, total));
            }
            writing.GetAwaiter().GetResult();
        }
        finally
        {
            Task.WhenAny(writing).GetAwaiter().GetResult(); // what it uses is about to go
        }
        QuantizationResult outcome = new(plan, [.. plan.Tensors.Select((tensor, i) => tensor.IsConverted && plan.Options.Check ? new TensorError(tensor, errors[i].RelativeError, errors[i].Cosine) : null)])
        {
            Kept = output.Kept.Count(kept => kept is not null),
            Damaged = output.Damaged,
        };
        if (plan.Options.MaxError is { } limit && outcome.Worst is { } worst && !(worst.Relative <= limit))
        {
            output.Discard();
            throw new ExcessiveErrorException(string.Create(CultureInfo.InvariantCulture,
                $"{file.Path}: tensor '{worst.Tensor.Source.Name}' has a relative error of {worst.Relative:G3} as {worst.Tensor.Target.Format}, more than the {limit:G3} allowed, so nothing was written; give it a type of more bits with --tensor-type, or allow more with --max-error"), worst);
        }
        output.Commit();
        return outcome;
    }

    private static IEnumerable<Chunk> Cut(PlannedTensor tensor, int index, TensorImportance importance)
    {
        long rowsAtATime = Math.Max(1, ChunkValues / tensor.Source.Columns);
        for (long row = 0, rows; row < tensor.Source.Rows; row += rows)
        {
            rows = Math.Min(Math.Min(rowsAtATime, tensor.Source.Rows - row), importance.RowsLeft(row));
            yield return new(index, row, rows);
        }
    }

    /// <summary>Rows of the tensor with that index in the plan.</summary>
    private readonly record struct Chunk(int Tensor, long FirstRow, long Rows);
}
