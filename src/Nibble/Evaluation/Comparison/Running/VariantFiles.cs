using Nibble.Files;
using Nibble.Quantization;

namespace Nibble.Evaluation.Comparison.Running;

/// <summary>Sees to it that every variant has its file: those of an earlier run are used again, the missing ones are made.</summary>
internal sealed class VariantFiles(ModelFile original, string originalSha256, MeasurementStore store, ComparisonOptions options)
{
    /// <summary>Weights quantized in a second, about: only its proportion to other stages matters.</summary>
    private const double WeightsPerSecond = 15e6;

    /// <summary>How long making a file takes, about.</summary>
    public static double SecondsFor(ModelFile model) => model.Tensors.Sum(t => (double)t.Count) / WeightsPerSecond;

    /// <summary>Whether the file of a variant has to be made.</summary>
    /// <exception cref="NibbleException">A file of that name is there that no comparison of this model made.</exception>
    public bool IsMissing(RequestedVariant variant)
    {
        if (variant.Recipe is null) return false;
        HashedFile? made = MeasurementStore.TryRead(RecordOf(variant), ReportJsonContext.Default.HashedFile);
        if (!File.Exists(variant.Path)) return true;
        if (made is null)
            Throw.BadFile(variant.Path, $"is there already, and was not made from {original.Path} by a comparison; give it with --files instead of {variant.Recipe.Name} in --types, move it away, or name another folder with -o");
        return made.Sha256.Length == 0; // a run ended between the file and the note of it
    }

    /// <summary>Refuses a file that is no longer what was made.</summary>
    /// <exception cref="NibbleException">It was changed.</exception>
    public void Check(RequestedVariant variant, string sha256)
    {
        if (variant.Recipe is not null && MeasurementStore.TryRead(RecordOf(variant), ReportJsonContext.Default.HashedFile)?.Sha256 != sha256)
            Throw.BadFile(variant.Path, $"was changed after it was made, so it may be no {variant.Recipe.Name} of {original.Path}; delete it to have it made again, or give it with --files");
    }

    /// <summary>Makes the file of a variant.</summary>
    public void Make(RequestedVariant variant, IProgress<QuantizationProgress> progress, CancellationToken cancellationToken)
    {
        QuantizationPlan plan = QuantizationPlan.Create(original, variant.Recipe!, new() { Check = false });
        MeasurementStore.Write(RecordOf(variant), new HashedFile(Path.GetFileName(variant.Path), ""), ReportJsonContext.Default.HashedFile);
        Quantizer.Write(original, plan, variant.Path, options.Run.Threads, progress: progress, cancellationToken: cancellationToken);
        MeasurementStore.Write(RecordOf(variant), HashedFile.Of(variant.Path, cancellationToken: cancellationToken), ReportJsonContext.Default.HashedFile);
    }

    private string RecordOf(RequestedVariant variant) => store.PathOf("made", "json", originalSha256, variant.Recipe!.Name, Path.GetFileName(variant.Path));
}
