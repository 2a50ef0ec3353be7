using Nibble.Files;
using Nibble.Files.Gguf;
using Nibble.Quantization;

namespace Nibble.Evaluation.Cards;

/// <summary>Puts measurements into the file of the model that was measured, and its card beside it.</summary>
public static class EvaluationStore
{
    /// <summary>Refuses a file that cannot keep measurements, before hours are spent on them.</summary>
    /// <exception cref="NibbleException">It is no GGUF file, cannot be replaced, has metadata that no card can be made of, or its card would replace another file.</exception>
    public static void Check(string path) => Prepare(path, new());

    /// <summary>Refuses to let a file lose more than it gains: see <see cref="PlannedMeasurement.LostFrom"/>.</summary>
    /// <exception cref="NibbleException">The file has a fuller measurement; the message says which.</exception>
    public static void CheckKeeps(string path, PlannedMeasurement planned)
    {
        ArgumentNullException.ThrowIfNull(planned);
        using ModelFile file = ModelFile.Open(path);
        if (TryRead(file.Metadata) is { } record && planned.LostFrom(record) is { } lost)
            Throw.BadFile(path, $"has {lost} would take its place; measure without --save-card, or replace it with --force");
    }

    /// <summary>
    /// Adds measurements to those that the file has (see <see cref="EvaluationRecord.With"/>), and writes its card. Measurements that the file
    /// has and that cannot be read are replaced.
    /// </summary>
    /// <param name="path">The file, or any part of a split model, of which the first is written anew.</param>
    /// <param name="measured">What was measured.</param>
    /// <param name="progress">Told the bytes of tensors copied so far, and of all.</param>
    /// <param name="cancellationToken">Stops within megabytes and leaves the file as it was.</param>
    /// <returns>All that the file now says.</returns>
    /// <exception cref="NibbleException">The file cannot be read or written.</exception>
    public static EvaluationRecord Save(string path, EvaluationRecord measured, Action<long, long>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(measured);
        (EvaluationRecord record, string cardPath, string card) = Prepare(path, measured);
        GgufMetadata.Rewrite(path, record.Write, progress, cancellationToken);
        ModelCard.Write(cardPath, card);
        return record;
    }

    /// <summary>All that is to be written, made before anything is: what the file will say, and its card.</summary>
    private static (EvaluationRecord Record, string CardPath, string Card) Prepare(string path, EvaluationRecord measured)
    {
        string first = GgufMetadata.FirstPart(path), cardPath = ModelCard.PathOf(first);
        OutputFolder.Check(first);
        ModelCard.CheckReplaceable(cardPath);
        using ModelFile file = ModelFile.Open(path);
        EvaluationRecord record = (TryRead(file.Metadata)?.With(measured) ?? measured) with { Recipe = ContentLevel.Of(file).Name };
        return (record, cardPath, ModelCard.TextOf(cardPath, file, record));
    }

    /// <summary>What the file says so far; <see langword="null"/> where that is nothing, or damaged and therefore of no use.</summary>
    private static EvaluationRecord? TryRead(Metadata metadata)
    {
        try
        {
            return EvaluationRecord.Read(metadata);
        }
        catch (NibbleException)
        {
            return null;
        }
    }
}
