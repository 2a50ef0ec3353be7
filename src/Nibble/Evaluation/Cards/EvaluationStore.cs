using Nibble.Files;
using Nibble.Files.Gguf;
using Nibble.Quantization;

namespace Nibble.Evaluation.Cards;

/// <summary>Puts measurements into the file of the model that was measured, and its card beside it.</summary>
public static class EvaluationStore
{
    /// <summary>Refuses a file that cannot keep measurements, before hours are spent on them.</summary>
    /// <exception cref="NibbleException">It is no GGUF file, cannot be replaced, or its card would replace another file.</exception>
    public static void Check(string path)
    {
        string first = GgufMetadata.FirstPart(path);
        OutputFolder.Check(first);
        ModelCard.CheckReplaceable(ModelCard.PathOf(first));
    }

    /// <summary>Adds measurements to those that the file has (see <see cref="EvaluationRecord.With"/>), and writes its card.</summary>
    /// <param name="path">The file, or any part of a split model, of which the first is written anew.</param>
    /// <param name="measured">What was measured.</param>
    /// <param name="progress">Told the bytes of tensors copied so far, and of all.</param>
    /// <param name="cancellationToken">Stops within megabytes and leaves the file as it was.</param>
    /// <returns>All that the file now says.</returns>
    /// <exception cref="NibbleException">The file cannot be read or written.</exception>
    public static EvaluationRecord Save(string path, EvaluationRecord measured, Action<long, long>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(measured);
        Check(path);
        EvaluationRecord record = measured;
        string level;
        using (ModelFile file = ModelFile.Open(path)) level = ContentLevel.Of(file).Name;
        GgufMetadata.Rewrite(path, metadata =>
        {
            EvaluationRecord? old = EvaluationRecord.Read(metadata);
            record = (old?.With(measured) ?? measured) with { Recipe = level };
            record.Write(metadata);
        }, progress, cancellationToken);
        using ModelFile written = ModelFile.Open(path);
        ModelCard.Write(ModelCard.PathOf(GgufMetadata.FirstPart(path)), written, record);
        return record;
    }
}
