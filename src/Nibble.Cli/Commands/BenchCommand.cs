using System.CommandLine;
using Nibble.Cli.Terminal;
using Nibble.Evaluation;
using Nibble.Generation;

namespace Nibble.Cli.Commands;

/// <summary><c>nibble bench FILE</c>: how fast a model runs on this machine.</summary>
internal static class BenchCommand
{
    public static Command Create()
    {
        Argument<string> model = new("FILE") { Description = "A GGUF file, or a Hugging Face model folder." };
        Option<int[]> prompts = CommonOptions.Numbers("--prompt", "-p", "Lengths of prompts to read, in tokens, separated by commas.", [128, 512]);
        Option<int> generate = new("--generate", "-n") { Description = "Tokens to generate; 0 for none.", DefaultValueFactory = _ => 32, HelpName = "N" };
        Option<int> repetitions = new("--repetitions", "-r") { Description = "How often to run each test.", DefaultValueFactory = _ => 5, HelpName = "N" };
        Option<int> threads = CommonOptions.Threads();
        Option<bool> json = CommonOptions.Json();
        CommandWithExamples command = new("bench", "Measure how fast a model reads prompts and generates on this machine.",
            "nibble bench tiny-Q4_K_M.gguf",
            "nibble bench llama-3.2-1b-q4_k_m.gguf --prompt 128,512 --generate 32 --threads 4 --json")
        {
            model, prompts, generate, repetitions, threads, json,
        };
        CacheSettings cache = new(command);
        command.SetAction((parsed, cancellationToken) => Task.Run(() =>
        {
            using LanguageModel language = LanguageModel.Open(parsed.GetRequiredValue(model), parsed.GetValue(threads));
            IReadOnlyList<SpeedResult> results = SpeedMeasurement.Measure(language.Network, language.Pool, parsed.GetRequiredValue(prompts), parsed.GetValue(generate), parsed.GetValue(repetitions), null, cache.Read(parsed), cancellationToken);
            JsonOutput.Write(writer =>
            {
                writer.WriteStartArray();
                foreach (SpeedResult result in results)
                {
                    writer.WriteStartObject();
                    writer.WriteString("test", result.Test);
                    writer.WriteNumber("median", result.Median);
                    writer.WriteNumber("min", result.Min);
                    writer.WriteNumber("max", result.Max);
                    writer.WriteEndObject();
                }
                writer.WriteEndArray();
            });
        }, CancellationToken.None));
        return command;
    }
}
