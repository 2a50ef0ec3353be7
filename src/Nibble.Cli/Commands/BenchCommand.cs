using System.CommandLine;
using System.Globalization;
using Nibble.Cli.Terminal;
using Nibble.Evaluation;
using Nibble.Generation;

namespace Nibble.Cli.Commands;

/// <summary><c>nibble bench FILE</c>: how fast a model runs on this machine.</summary>
internal static class BenchCommand
{
    private static readonly SpeedOptions s_defaults = new();

    public static Command Create()
    {
        Argument<string> model = new("FILE") { Description = "A GGUF file, or a Hugging Face model folder." };
        Option<int[]> prompts = CommonOptions.Numbers("--prompt", "-p", "Lengths of prompts to read, in tokens, separated by commas; 0 alone for none. Default: 128,512, or the model's context where that is shorter.");
        Option<int> generate = new("--generate", "-n") { Description = "Tokens to generate; 0 for none.", DefaultValueFactory = _ => s_defaults.Generated, HelpName = "N" };
        Option<int> repetitions = new("--repetitions", "-r") { Description = "How often to measure each test.", DefaultValueFactory = _ => s_defaults.Repetitions, HelpName = "N" };
        Option<int> threads = CommonOptions.MeasuredThreads(), promptThreads = CommonOptions.PromptThreads();
        Option<bool> noRepack = CommonOptions.NoRepack();
        Option<bool> markdown = new("--markdown") { Description = "Print the tables as Markdown." };
        Option<bool> json = CommonOptions.Json();
        CommandWithExamples command = new("bench", "Measure how fast a model reads prompts and generates, and what the machine would allow.",
            "nibble bench tiny-Q4_K_M.gguf --prompt 64 --generate 64",
            "nibble bench llama-3.2-1b-q4_k_m.gguf --prompt 128,512 --generate 32 --threads 4 --json",
            "nibble bench llama-3.2-1b-q4_k_m.gguf --no-repack --markdown")
        {
            model, prompts, generate, repetitions, threads, promptThreads, noRepack, markdown,
        };
        CacheSettings cache = new(command);
        command.Add(json);
        command.SetAction((parsed, cancellationToken) => Task.Run(() =>
        {
            if (parsed.GetValue(json) && parsed.GetValue(markdown)) throw new NibbleException("--json and --markdown were both given; give one");
            using LanguageModel language = LanguageModel.Open(parsed.GetRequiredValue(model),
                new ModelOptions { Threads = parsed.GetValue(threads), PromptThreads = parsed.GetValue(promptThreads), Repack = !parsed.GetValue(noRepack) });
            SpeedOptions options = new()
            {
                Prompts = parsed.GetResult(prompts) is null ? SpeedOptions.UsualPrompts(language.Network.ContextLength) : parsed.GetRequiredValue(prompts),
                Generated = parsed.GetValue(generate),
                Repetitions = parsed.GetValue(repetitions),
                Cache = cache.Read(parsed),
            };
            SpeedReport report = ProgressDisplay.Run("Measuring", show =>
                SpeedMeasurement.Measure(language, options, new SynchronousProgress<SpeedProgress>(p => show(new Step(p.Fraction, Describe(p)))), cancellationToken));
            if (parsed.GetValue(json)) BenchReport.WriteJson(report);
            else BenchReport.Print(Path.GetFileName(Path.TrimEndingDirectorySeparator(language.File.Path)), report, parsed.GetValue(markdown));
        }, CancellationToken.None));
        return command;
    }

    private static string Describe(SpeedProgress progress) =>
        progress.Rate == 0 ? progress.Test : string.Create(CultureInfo.InvariantCulture, $"{progress.Test}, {progress.Rate:F1} tokens/s");
}
