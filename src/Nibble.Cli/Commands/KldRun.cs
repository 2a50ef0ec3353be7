using System.CommandLine;
using System.Globalization;
using Nibble.Cli.Terminal;
using Nibble.Evaluation;
using Nibble.Evaluation.Cards;
using Nibble.Evaluation.Divergence;
using Nibble.Files;
using Nibble.Generation;

namespace Nibble.Cli.Commands;

/// <summary>Compares a variant with its base, with progress: a model, or a file that keeps what it predicted.</summary>
internal static class KldRun
{
    /// <returns>What was measured, and the same as the variant's file keeps it.</returns>
    public static (DivergenceResult Result, EvaluationRecord Record) Compare(ParseResult parsed, EvaluationSettings settings, string reference, string variant, CancellationToken cancellationToken)
    {
        if (BaseFile.IsBaseFile(reference)) return CompareSaved(parsed, settings, reference, variant, cancellationToken);
        byte[] bytes = settings.ReadText(parsed, cancellationToken);
        using LanguageModel first = settings.Open(parsed, reference), second = settings.Open(parsed, variant);
        return Compare(first, second, settings.Tokenize(parsed, bytes, first), settings.Read(parsed, first), cancellationToken);
    }

    public static (DivergenceResult Result, EvaluationRecord Record) Compare(LanguageModel reference, LanguageModel variant, EvaluationText text, EvaluationOptions options, CancellationToken cancellationToken)
    {
        DivergenceResult result = Show(progress => DivergenceMeasurement.Measure(reference, variant, text, options, progress, cancellationToken));
        MeasuredBase measured = new(BaseFileWriter.NameOf(reference.File), HashedFile.OfModel(reference.File, cancellationToken: cancellationToken));
        return (result, EvaluationRecord.Of(result, text.Name, text.Sha256, measured));
    }

    private static (DivergenceResult Result, EvaluationRecord Record) CompareSaved(ParseResult parsed, EvaluationSettings settings, string reference, string variant, CancellationToken cancellationToken)
    {
        if (settings.TextPath(parsed) is not null || settings.Context(parsed) is not null || settings.HasWindows(parsed))
            throw new NibbleException($"{reference}: is a saved base, which has the text and its windows; leave out --text, --ctx and --windows");
        using BaseFile saved = BaseFile.Open(reference);
        using LanguageModel language = settings.Open(parsed, variant);
        DivergenceResult result = Show(progress => DivergenceMeasurement.Measure(saved, language, settings.Cache(parsed), progress, cancellationToken));
        return (result, EvaluationRecord.Of(result, saved.Header.TextName, saved.Header.TextSha256, new(saved.Header.BaseName, saved.Header.BaseSha256)));
    }

    private static DivergenceResult Show(Func<IProgress<DivergenceProgress>, DivergenceResult> measure) => ProgressDisplay.Run("KL divergence", show =>
        measure(new SynchronousProgress<DivergenceProgress>(p =>
            show(new Step((double)p.Windows / p.TotalWindows, string.Create(CultureInfo.InvariantCulture, $"{p.MeanDivergence:F6}, perplexity ratio {p.Ratio:F4}"))))));
}
