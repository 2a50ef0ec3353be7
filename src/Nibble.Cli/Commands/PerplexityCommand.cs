using System.CommandLine;
using System.Globalization;
using Nibble.Cli.Terminal;
using Nibble.Evaluation;
using Nibble.Formats;
using Nibble.Generation;

namespace Nibble.Cli.Commands;

/// <summary><c>nibble perplexity FILE --text FILE</c>: how well a model predicts a text.</summary>
internal static class PerplexityCommand
{
    private const int UsualWindow = 512;

    public static Command Create()
    {
        Argument<string> model = new("FILE") { Description = "A GGUF file, or a Hugging Face model folder." };
        Option<string> text = new("--text", "-f", "--file") { Description = "The text to predict, UTF-8.", HelpName = "FILE", Required = true };
        Option<int?> context = CommonOptions.Context($"Tokens of a window. Default: {UsualWindow}, or the model's context where that is shorter.");
        Option<int?> windows = new("--windows", "--chunks") { Description = "Windows to read at most. Default: all.", HelpName = "N" };
        Option<int> threads = CommonOptions.ModelThreads();
        Option<bool> noRepack = CommonOptions.NoRepack();
        Option<I2_SLayout?> layout = CommonOptions.I2SLayout();
        Option<bool> json = CommonOptions.Json();
        CommandWithExamples command = new("perplexity", "Measure how well a model predicts a text, as llama.cpp's tool does; lower is better.",
            "nibble perplexity tiny-Q4_K_M.gguf --text models/tiny/sample.txt",
            "nibble perplexity llama-3.2-1b-q4_k_m.gguf --text wiki.test.raw --ctx 512 --windows 40 --json")
        {
            model, text, context, windows, layout, threads, noRepack, json,
        };
        CacheSettings cache = new(command);
        command.SetAction((parsed, cancellationToken) => Task.Run(() =>
        {
            byte[] bytes = TextFile.ReadText(parsed.GetRequiredValue(text), cancellationToken);
            using LanguageModel language = LanguageModel.Open(parsed.GetRequiredValue(model), new ModelOptions { Threads = parsed.GetValue(threads), Repack = !parsed.GetValue(noRepack), I2SLayout = parsed.GetValue(layout) });
            CommonOptions.TellLayout(language.File);
            int window = language.ContextFor(parsed.GetValue(context) ?? Math.Min(UsualWindow, language.Network.ContextLength));
            int most = parsed.GetValue(windows) is { } wanted ? (wanted > 0 ? wanted : throw new NibbleException($"--windows is {wanted}; take 1 or more")) : int.MaxValue;
            int[] tokens = language.Tokenizer.Encode(bytes);
            int total = Math.Max(1, PerplexityMeasurement.CountWindows(tokens.Length, window, most));
            PerplexityResult result = ProgressDisplay.Run("Perplexity", show =>
            {
                SynchronousProgress<PerplexityResult> progress = new(r => show(new Step((double)r.Windows / total, Describe(r))));
                return PerplexityMeasurement.Measure(language.Network, tokens, language.Tokenizer.AddBos ? language.Tokenizer.Bos : null,
                    window, most, language.Pool, progress, cache.Read(parsed), cancellationToken);
            });
            if (parsed.GetValue(json)) WriteJson(result);
            else Screen.Print(string.Create(CultureInfo.InvariantCulture, $"perplexity {Describe(result)} over {result.Tokens:N0} tokens in {result.Windows} windows of {result.ContextLength}"));
        }, CancellationToken.None));
        return command;
    }

    private static string Describe(PerplexityResult result) => string.Create(CultureInfo.InvariantCulture, $"{result.Perplexity:F4} ± {result.Error:F4}");

    private static void WriteJson(PerplexityResult result) => JsonOutput.Write(json =>
    {
        json.WriteStartObject();
        json.WriteNumber("perplexity", result.Perplexity);
        json.WriteNumber("error", result.Error);
        json.WriteNumber("tokens", result.Tokens);
        json.WriteNumber("windows", result.Windows);
        json.WriteNumber("ctx", result.ContextLength);
        json.WriteEndObject();
    });
}
