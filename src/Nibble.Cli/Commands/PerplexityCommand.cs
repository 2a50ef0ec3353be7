using System.CommandLine;
using System.Globalization;
using Nibble.Cli.Terminal;
using Nibble.Evaluation;
using Nibble.Evaluation.Cards;
using Nibble.Generation;

namespace Nibble.Cli.Commands;

/// <summary><c>nibble perplexity FILE --text FILE</c>: how well a model predicts a text.</summary>
internal static class PerplexityCommand
{
    public static Command Create()
    {
        Argument<string> model = new("FILE") { Description = "A GGUF file, or a Hugging Face model folder." };
        Option<int?> stride = new("--stride") { Description = "Let windows overlap: each begins N tokens behind the one before it and scores its last N, as Hugging Face's guide does. Default: windows that do not overlap, of which the second half is scored.", HelpName = "N" };
        Option<bool> json = CommonOptions.Json();
        CommandWithExamples command = new("perplexity", "Measure how well a model predicts a text, as llama.cpp's tool does; lower is better.",
            "nibble perplexity tiny-Q4_K_M.gguf --text models/tiny/sample.txt",
            "nibble perplexity llama-3.2-1b-q4_k_m.gguf --text wiki.test.raw --ctx 512 --windows 40 --json",
            "nibble perplexity ~/models/Qwen3-0.6B --text wiki.test.raw --ctx 1024 --stride 512")
        {
            model,
        };
        EvaluationSettings settings = new(command, needsText: true);
        command.Add(stride);
        CardOption card = new(command);
        command.Add(json);
        command.SetAction((parsed, cancellationToken) => Task.Run(() =>
        {
            string path = parsed.GetRequiredValue(model);
            card.Check(parsed, path);
            byte[] bytes = settings.ReadText(parsed, cancellationToken);
            PerplexityResult result;
            EvaluationText text;
            EvaluationOptions options;
            using (LanguageModel language = settings.Open(parsed, path))
            {
                text = settings.Tokenize(parsed, bytes, language);
                options = settings.Read(parsed, language) with { Stride = parsed.GetValue(stride) };
                card.CheckKeeps(parsed, path, PlannedMeasurement.Of(text, options, hasDivergence: false));
                result = Measure(language, text, options, cancellationToken);
            }
            if (parsed.GetValue(json)) WriteJson(result, options.Stride);
            else Screen.Print(string.Create(CultureInfo.InvariantCulture, $"perplexity {Describe(result)} over {result.Tokens:N0} tokens in {result.Windows} windows of {result.ContextLength}{(options.Stride is { } n ? $", {n} apart" : "")}"));
            card.Save(parsed, path, EvaluationRecord.Of(result, text, options), parsed.GetValue(json), cancellationToken);
        }, CancellationToken.None));
        return command;
    }

    private static PerplexityResult Measure(LanguageModel language, EvaluationText text, EvaluationOptions options, CancellationToken cancellationToken)
    {
        int total = EvaluationWindow.Of(text.Tokens.Length, options, text.Name).Count;
        return ProgressDisplay.Run("Perplexity", show =>
            PerplexityMeasurement.Measure(language, text.Tokens, options, new SynchronousProgress<PerplexityResult>(r => show(new Step((double)r.Windows / total, Describe(r)))), cancellationToken));
    }

    private static string Describe(PerplexityResult result) => result.Estimate.ToText("F4");

    private static void WriteJson(PerplexityResult result, int? stride) => JsonOutput.Write(json =>
    {
        json.WriteStartObject();
        json.WriteNumber("perplexity", result.Perplexity);
        json.WriteFinite("error", result.Error);
        json.WriteNumber("tokens", result.Tokens);
        json.WriteNumber("windows", result.Windows);
        json.WriteNumber("ctx", result.ContextLength);
        if (stride is { } n) json.WriteNumber("stride", n);
        json.WriteEndObject();
    });
}
