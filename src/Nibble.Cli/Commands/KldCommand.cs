using System.CommandLine;
using System.Globalization;
using Nibble.Cli.Terminal;
using Nibble.Evaluation;
using Nibble.Evaluation.Divergence;
using Nibble.Generation;

namespace Nibble.Cli.Commands;

/// <summary><c>nibble kld BASE VARIANT --text FILE</c>: how far a variant's predictions are from its base's.</summary>
internal static class KldCommand
{
    public static Command Create()
    {
        Argument<string> reference = new("BASE") { Description = "The model to compare with: a GGUF file, a Hugging Face model folder." };
        Argument<string> variant = new("VARIANT") { Description = "The model to measure: the same, quantized." };
        Option<bool> json = CommonOptions.Json();
        CommandWithExamples command = new("kld", "Measure how far a variant of a model predicts otherwise than its base: Kullback-Leibler divergence, perplexity ratio, share of the same likeliest token.",
            "nibble kld models/tiny tiny-Q4_K_M.gguf --text models/tiny/sample.txt",
            "nibble kld llama-3.2-1b-bf16.gguf llama-3.2-1b-q4_k_m.gguf --text wiki.test.raw --windows 40 --json")
        {
            reference, variant,
        };
        EvaluationSettings settings = new(command);
        command.Add(json);
        command.SetAction((parsed, cancellationToken) => Task.Run(() =>
        {
            byte[] bytes = settings.ReadText(parsed, cancellationToken);
            using LanguageModel first = settings.Open(parsed, parsed.GetRequiredValue(reference)), second = settings.Open(parsed, parsed.GetRequiredValue(variant));
            if (VocabularyComparison.Difference(first.Tokenizer, second.Tokenizer) is { } difference) throw new NibbleException($"{second.File.Path}: {difference}; take a variant of {first.File.Path}");
            EvaluationText text = settings.Tokenize(parsed, bytes, first);
            DivergenceResult result = Measure(first, second, text, settings.Read(parsed, first), cancellationToken);
            if (!parsed.GetValue(json))
            {
                KldReport.Print(result);
                return;
            }
            JsonOutput.Write(writer =>
            {
                writer.WriteStartObject();
                KldReport.WriteProperties(writer, result);
                writer.WriteEndObject();
            });
        }, CancellationToken.None));
        return command;
    }

    /// <summary>Measures with progress.</summary>
    public static DivergenceResult Measure(LanguageModel reference, LanguageModel variant, EvaluationText text, EvaluationOptions options, CancellationToken cancellationToken) =>
        ProgressDisplay.Run("KL divergence", show => DivergenceMeasurement.Measure(reference.Network, variant.Network, text.Tokens, options, reference.Pool, Progress(show), cancellationToken));

    private static SynchronousProgress<DivergenceProgress> Progress(Action<Step> show) => new(p =>
        show(new Step((double)p.Windows / p.TotalWindows, string.Create(CultureInfo.InvariantCulture, $"{p.MeanDivergence:F6}, perplexity ratio {p.Ratio:F4}"))));
}
