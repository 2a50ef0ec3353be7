using System.CommandLine;
using System.Globalization;
using Nibble.Cli.Terminal;
using Nibble.Evaluation;
using Nibble.Evaluation.Cards;
using Nibble.Evaluation.Divergence;
using Nibble.Files;
using Nibble.Generation;
using Nibble.Models;

namespace Nibble.Cli.Commands;

/// <summary>Compares a variant with its base, with progress: a model, or a file that keeps what it predicted.</summary>
internal static class KldRun
{
    /// <param name="parsed">The command line.</param>
    /// <param name="settings">Its options.</param>
    /// <param name="reference">The base: a model, or a file that was saved of one.</param>
    /// <param name="variant">The model that is compared with it.</param>
    /// <param name="planned">Told what is about to be measured; may refuse it.</param>
    /// <param name="cancellationToken">Stops after the batch at hand.</param>
    /// <returns>What was measured, and the same as the variant's file keeps it.</returns>
    public static (DivergenceResult Result, EvaluationRecord Record) Compare(ParseResult parsed, EvaluationSettings settings, string reference, string variant, Action<PlannedMeasurement>? planned, CancellationToken cancellationToken)
    {
        if (BaseFile.IsBaseFile(reference)) return CompareSaved(parsed, settings, reference, variant, planned, cancellationToken);
        using LanguageModel first = settings.Open(parsed, reference), second = settings.Open(parsed, variant);
        byte[] bytes = settings.ReadText(parsed, cancellationToken);
        EvaluationText text = settings.Tokenize(parsed, bytes, first);
        EvaluationOptions options = settings.Read(parsed, first);
        planned?.Invoke(PlannedMeasurement.Of(text, options, hasDivergence: true));
        return Compare(first, second, text, options, cancellationToken);
    }

    public static (DivergenceResult Result, EvaluationRecord Record) Compare(LanguageModel reference, LanguageModel variant, EvaluationText text, EvaluationOptions options, CancellationToken cancellationToken)
    {
        DivergenceResult result = Show(progress => DivergenceMeasurement.Measure(reference, variant, text, options, progress, cancellationToken));
        MeasuredBase measured = new(BaseFileWriter.NameOf(reference.File), HashedFile.OfModel(reference.File, cancellationToken: cancellationToken), (options.Cache ?? CacheOptions.Default).Description);
        return (result, EvaluationRecord.Of(result, text.Name, text.Sha256, measured, options.Cache));
    }

    private static (DivergenceResult Result, EvaluationRecord Record) CompareSaved(ParseResult parsed, EvaluationSettings settings, string reference, string variant, Action<PlannedMeasurement>? planned, CancellationToken cancellationToken)
    {
        if (settings.TextPath(parsed) is not null || settings.Context(parsed) is not null || settings.HasWindows(parsed))
            throw new NibbleException($"{reference}: is a saved base, which has the text and its windows; leave out --text, --ctx and --windows");
        using BaseFile saved = BaseFile.Open(reference);
        CacheOptions cache = settings.Cache(parsed);
        BaseHeader header = saved.Header;
        planned?.Invoke(PlannedMeasurement.Of(header, cache));
        if (cache.Description != header.Cache)
            Screen.Tell($"warning: {reference} was saved with a cache of {header.Cache}, and {variant} is measured with one of {cache.Description} (--cache-type): what that costs is part of the result");
        using LanguageModel language = settings.Open(parsed, variant);
        DivergenceResult result = Show(progress => DivergenceMeasurement.Measure(saved, language, cache, progress, cancellationToken));
        return (result, EvaluationRecord.Of(result, header.TextName, header.TextSha256, new($"{header.BaseName}, as {Path.GetFileName(reference)} keeps it", header.BaseSha256, header.Cache), cache));
    }

    private static DivergenceResult Show(Func<IProgress<DivergenceProgress>, DivergenceResult> measure) => ProgressDisplay.Run("KL divergence", show =>
        measure(new SynchronousProgress<DivergenceProgress>(p =>
            show(new Step((double)p.Windows / p.TotalWindows, string.Create(CultureInfo.InvariantCulture, $"{p.MeanDivergence:F6}, perplexity ratio {p.Ratio:F4}"))))));
}
