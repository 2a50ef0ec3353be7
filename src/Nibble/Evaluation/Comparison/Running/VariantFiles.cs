using Nibble.Files;
using Nibble.Quantization;
using Nibble.Quantization.Importance;
using Nibble.Quantization.Recipes;
using Nibble.Quantization.Resuming;

namespace Nibble.Evaluation.Comparison.Running;

/// <summary>A file that a comparison made.</summary>
/// <param name="Sha256">SHA-256 of its content; empty until it is complete.</param>
/// <param name="Version">The version of Nibble that made it.</param>
/// <param name="Layout">How the original was read where that is not written in it.</param>
/// <param name="Importance">The importance matrix that it was made with; <see langword="null"/> for none.</param>
/// <param name="Replaced">SHA-256 of the file that was made before and that this one takes the place of, as long as it is not complete.</param>
/// <param name="Level">Its <see cref="LevelIdentity"/>; <see langword="null"/> until it is complete.</param>
internal sealed record MadeFile(string Sha256, string Version, string? Layout, string? Importance = null, string? Replaced = null, string? Level = null);

/// <summary>
/// Sees to it that every variant has its file: those of an earlier run are used again, the missing ones are made, and those that another
/// version of Nibble made, or that were made of the original read in another layout or with another importance matrix, are made anew.
/// </summary>
/// <param name="original">The base.</param>
/// <param name="originalSha256">SHA-256 of its files.</param>
/// <param name="importance">What the importance matrix is; <see langword="null"/> for none.</param>
/// <param name="store">Where it is kept which files were made.</param>
/// <param name="options">What was asked for.</param>
internal sealed class VariantFiles(ModelFile original, string originalSha256, string? importance, MeasurementStore store, ComparisonOptions options)
{
    /// <summary>Whether the file of a variant has to be made.</summary>
    /// <exception cref="NibbleException">A file of that name is there that no comparison of this model made, or that was changed and would have to be made anew.</exception>
    public bool IsMissing(RequestedVariant variant, CancellationToken cancellationToken)
    {
        if (variant.Recipe is null) return false;
        MadeFile? made = MeasurementStore.TryRead(RecordOf(variant), ReportJsonContext.Default.MadeFile);
        if (!File.Exists(variant.Path)) return true;
        if (made is null)
            Throw.BadFile(variant.Path, $"is there already, and was not made from {original.Path} by a comparison; give it with --files instead of {variant.Recipe.Name} in --types, move it away, or name another folder with -o");
        if (made.Sha256.Length == 0 && made.Replaced is null) return true; // a run ended between the file and the note of it
        if (made with { Sha256 = "", Replaced = null, Level = null } == Record("") && made.Sha256.Length > 0) return false;
        // Only what it made itself is replaced, and nothing that somebody has kept in it.
        if ((made.Replaced ?? made.Sha256) != HashedFile.Of(variant.Path, cancellationToken: cancellationToken).Sha256) Changed(variant);
        return true;
    }

    /// <summary>The hash under which a file is known: what it had before measurements were kept in it by another command, else its own.</summary>
    /// <exception cref="NibbleException">It was made here, and is another model by now.</exception>
    public string Recognize(RequestedVariant variant, string sha256, CancellationToken cancellationToken)
    {
        if (variant.Recipe is null) return sha256;
        MadeFile? made = MeasurementStore.TryRead(RecordOf(variant), ReportJsonContext.Default.MadeFile);
        if (made?.Sha256 == sha256) return sha256;
        if (made?.Level is null || LevelIdentity.Of(variant.Path, options.Run.I2SLayout, cancellationToken) != made.Level) Changed(variant);
        Keep(variant, sha256);
        return made!.Sha256;
    }

    private void Changed(RequestedVariant variant) =>
        Throw.BadFile(variant.Path, $"was changed after it was made, so it may be no {variant.Recipe!.Name} of {original.Path}; delete it to have it made again, or give it with --files");

    /// <summary>Makes the file of a variant; a run that is stopped leaves finished tensors for the next one.</summary>
    /// <param name="variant">The variant.</param>
    /// <param name="use">What is used of the importance matrix.</param>
    /// <param name="progress">Told after every chunk.</param>
    /// <param name="cancellationToken">Stops after the chunk at hand.</param>
    /// <returns>SHA-256 of the file.</returns>
    public string Make(RequestedVariant variant, ImportanceUse? use, IProgress<QuantizationProgress> progress, CancellationToken cancellationToken)
    {
        QuantizationPlan plan = QuantizationPlan.Create(original, variant.Recipe!, new() { Check = false, Importance = use?.Means, Metadata = use?.Metadata ?? [] });
        if (!QuantizationOutput.CanGoOn(original, plan, variant.Path)) Journal.RemoveLeftovers(variant.Path);
        MadeFile? before = File.Exists(variant.Path) ? MeasurementStore.TryRead(RecordOf(variant), ReportJsonContext.Default.MadeFile) : null;
        MeasurementStore.Write(RecordOf(variant), Record("") with { Replaced = before?.Replaced ?? (before is { Sha256.Length: > 0 } ? before.Sha256 : null) }, ReportJsonContext.Default.MadeFile);
        Quantizer.Write(original, plan, variant.Path, options.Run.Threads, resume: true, progress, cancellationToken);
        // Not stopped, since without it the file is nobody's.
        MadeFile made = Record(HashedFile.Of(variant.Path, cancellationToken: CancellationToken.None).Sha256) with { Level = LevelIdentity.Of(variant.Path, options.Run.I2SLayout, CancellationToken.None) };
        MeasurementStore.Write(RecordOf(variant), made, ReportJsonContext.Default.MadeFile);
        return made.Sha256;
    }

    /// <summary>Notes the hash of a file that was made and in which measurements have been kept since.</summary>
    public void Keep(RequestedVariant variant, string sha256)
    {
        if (variant.Recipe is null) return;
        string? level = MeasurementStore.TryRead(RecordOf(variant), ReportJsonContext.Default.MadeFile)?.Level;
        MeasurementStore.Write(RecordOf(variant), Record(sha256) with { Level = level }, ReportJsonContext.Default.MadeFile);
    }

    private MadeFile Record(string sha256) => new(sha256, RecipeFile.CurrentVersion, original.LayoutNote, importance);

    private string RecordOf(RequestedVariant variant) => store.PathOfAny("made", "json", originalSha256, variant.Recipe!.Name, Path.GetFileName(variant.Path));
}
