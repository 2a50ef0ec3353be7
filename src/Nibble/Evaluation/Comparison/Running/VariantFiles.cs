using Nibble.Files;
using Nibble.Quantization;
using Nibble.Quantization.Recipes;

namespace Nibble.Evaluation.Comparison.Running;

/// <summary>A file that a comparison made.</summary>
/// <param name="Sha256">SHA-256 of its content; empty until it is complete.</param>
/// <param name="Version">The version of Nibble that made it.</param>
/// <param name="Layout">How the original was read where that is not written in it.</param>
internal sealed record MadeFile(string Sha256, string Version, string? Layout);

/// <summary>
/// Sees to it that every variant has its file: those of an earlier run are used again, the missing ones are made, and those that another
/// version of Nibble made, or that were made of the original read in another layout, are made anew.
/// </summary>
internal sealed class VariantFiles(ModelFile original, string originalSha256, MeasurementStore store, ComparisonOptions options)
{
    /// <summary>Weights quantized in a second, about: only its proportion to other stages matters.</summary>
    private const double WeightsPerSecond = 15e6;

    /// <summary>How long making a file takes, about.</summary>
    public static double SecondsFor(ModelFile model) => model.Tensors.Sum(t => (double)t.Count) / WeightsPerSecond;

    /// <summary>Whether the file of a variant has to be made.</summary>
    /// <exception cref="NibbleException">A file of that name is there that no comparison of this model made, or that was changed and would have to be made anew.</exception>
    public bool IsMissing(RequestedVariant variant, CancellationToken cancellationToken)
    {
        if (variant.Recipe is null) return false;
        MadeFile? made = MeasurementStore.TryRead(RecordOf(variant), ReportJsonContext.Default.MadeFile);
        if (!File.Exists(variant.Path)) return true;
        if (made is null)
            Throw.BadFile(variant.Path, $"is there already, and was not made from {original.Path} by a comparison; give it with --files instead of {variant.Recipe.Name} in --types, move it away, or name another folder with -o");
        if (made.Sha256.Length == 0) return true; // a run ended between the file and the note of it
        if ((made.Version, made.Layout) == (RecipeFile.CurrentVersion, original.LayoutNote)) return false;
        Check(variant, HashedFile.Of(variant.Path, cancellationToken: cancellationToken).Sha256); // only what it made itself is replaced
        return true;
    }

    /// <summary>Refuses a file that is no longer what was made.</summary>
    /// <exception cref="NibbleException">It was changed.</exception>
    public void Check(RequestedVariant variant, string sha256)
    {
        if (variant.Recipe is not null && MeasurementStore.TryRead(RecordOf(variant), ReportJsonContext.Default.MadeFile)?.Sha256 != sha256)
            Throw.BadFile(variant.Path, $"was changed after it was made, so it may be no {variant.Recipe.Name} of {original.Path}; delete it to have it made again, or give it with --files");
    }

    /// <summary>Makes the file of a variant.</summary>
    public void Make(RequestedVariant variant, IProgress<QuantizationProgress> progress, CancellationToken cancellationToken)
    {
        QuantizationPlan plan = QuantizationPlan.Create(original, variant.Recipe!, new() { Check = false });
        Record("");
        Quantizer.Write(original, plan, variant.Path, options.Run.Threads, progress: progress, cancellationToken: cancellationToken);
        Record(HashedFile.Of(variant.Path, cancellationToken: cancellationToken).Sha256);

        void Record(string sha256) => MeasurementStore.Write(RecordOf(variant), new MadeFile(sha256, RecipeFile.CurrentVersion, original.LayoutNote), ReportJsonContext.Default.MadeFile);
    }

    private string RecordOf(RequestedVariant variant) => store.PathOfAny("made", "json", originalSha256, variant.Recipe!.Name, Path.GetFileName(variant.Path));
}
