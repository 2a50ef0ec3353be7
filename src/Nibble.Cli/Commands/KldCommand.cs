using System.CommandLine;
using System.Globalization;
using Nibble.Cli.Terminal;
using Nibble.Evaluation;
using Nibble.Evaluation.Cards;
using Nibble.Evaluation.Divergence;
using Nibble.Files;
using Nibble.Generation;

namespace Nibble.Cli.Commands;

/// <summary><c>nibble kld BASE VARIANT --text FILE</c>: how far a variant's predictions are from its base's.</summary>
internal static class KldCommand
{
    public static Command Create()
    {
        Argument<string> reference = new("BASE") { Description = "The model to compare with: a GGUF file, a Hugging Face model folder, or a file that --save-base made." };
        Argument<string?> variant = new("VARIANT") { Description = "The model to measure: the same, quantized.", Arity = ArgumentArity.ZeroOrOne };
        Option<string?> saveBase = CommonOptions.File("--save-base", "Keep what the base predicts in this file, to measure variants against it another day without the base and the text.");
        Option<bool> json = CommonOptions.Json();
        CommandWithExamples command = new("kld", "Measure how far a variant of a model predicts otherwise than its base: Kullback-Leibler divergence, perplexity ratio, share of the same likeliest token.",
            "nibble kld models/tiny tiny-Q4_K_M.gguf --text models/tiny/sample.txt",
            "nibble kld llama-3.2-1b-bf16.gguf llama-3.2-1b-q4_k_m.gguf --text wiki.test.raw --windows 40 --json",
            "nibble kld llama-3.2-1b-bf16.gguf --text wiki.test.raw --save-base llama-3.2-1b.base",
            "nibble kld llama-3.2-1b.base llama-3.2-1b-q4_k_m.gguf --save-card")
        {
            reference, variant,
        };
        EvaluationSettings settings = new(command);
        command.Add(saveBase);
        CardOption card = new(command);
        command.Add(json);
        command.SetAction((parsed, cancellationToken) => Task.Run(() =>
        {
            string first = parsed.GetRequiredValue(reference);
            string? second = parsed.GetValue(variant);
            if (parsed.GetValue(saveBase) is { } target)
            {
                if (second is not null || card.IsAsked(parsed)) throw new NibbleException("--save-base only keeps what the base predicts; leave out the variant and --save-card, and measure with the file afterwards");
                SaveBase(parsed, settings, first, target, parsed.GetValue(json), cancellationToken);
                return;
            }
            if (second is null) throw new NibbleException("name the variant to measure, or a file to keep the base in with --save-base");
            card.Check(parsed, second);
            (DivergenceResult result, EvaluationRecord record) = KldRun.Compare(parsed, settings, first, second, planned => card.CheckKeeps(parsed, second, planned), cancellationToken);
            if (parsed.GetValue(json)) WriteJson(result, record);
            else KldReport.Print(result, record);
            card.Save(parsed, second, record, parsed.GetValue(json), cancellationToken);
        }, CancellationToken.None));
        return command;
    }

    private static void SaveBase(ParseResult parsed, EvaluationSettings settings, string path, string target, bool json, CancellationToken cancellationToken)
    {
        OutputFolder.Check(target);
        if (File.Exists(target) && !BaseFile.IsBaseFile(target)) throw new NibbleException($"{target}: is there already, and is no base file; move it away, or name another file with --save-base");
        byte[] bytes = settings.ReadText(parsed, cancellationToken);
        using LanguageModel language = settings.Open(parsed, path);
        CommonOptions.CheckTargets([("--save-base", target)], [("--text", settings.TextPath(parsed))], language.File);
        EvaluationText text = settings.Tokenize(parsed, bytes, language);
        EvaluationOptions options = settings.Read(parsed, language);
        int total = EvaluationWindow.Of(text.Tokens.Length, options, text.Name).Count;
        PerplexityResult result = ProgressDisplay.Run("Base", show => BaseFileWriter.Save(target, language, text, options,
            new SynchronousProgress<PerplexityResult>(r => show(new Step((double)r.Windows / total, string.Create(CultureInfo.InvariantCulture, $"perplexity {r.Perplexity:F4}")))), cancellationToken));
        using BaseFile saved = BaseFile.Open(target);
        long size = new FileInfo(target).Length;
        double share = (double)size / (saved.Header.Records * saved.Header.Vocabulary * sizeof(float));
        if (!json)
        {
            Screen.Print(string.Create(CultureInfo.InvariantCulture, $"wrote {target}: {Format.Bytes(size)}, {100 * share:F2} % of all scores; {saved.Header.Top} likeliest and {saved.Header.Sampled} drawn tokens for each of {result.Tokens:N0}"));
            Screen.Print(string.Create(CultureInfo.InvariantCulture, $"perplexity of the base {result.Estimate.ToText("F4")}"));
            return;
        }
        JsonOutput.Write(writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("file", target);
            writer.WriteNumber("bytes", size);
            writer.WriteNumber("shareOfScores", share);
            writer.WriteNumber("basePpl", result.Perplexity);
            writer.WriteFinite("basePplError", result.Error);
            writer.WriteNumber("tokens", result.Tokens);
            writer.WriteNumber("windows", result.Windows);
            writer.WriteNumber("ctx", result.ContextLength);
            writer.WriteString("cache", saved.Header.Cache);
            writer.WriteEndObject();
        });
    }

    private static void WriteJson(DivergenceResult result, EvaluationRecord record) => JsonOutput.Write(writer =>
    {
        writer.WriteStartObject();
        KldReport.WriteProperties(writer, result, record);
        writer.WriteEndObject();
    });
}
