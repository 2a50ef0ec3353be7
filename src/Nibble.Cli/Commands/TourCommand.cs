using System.CommandLine;
using System.Diagnostics;
using Nibble.Cli.Terminal;
using Nibble.Evaluation;
using Nibble.Files;
using Nibble.Generation;
using Nibble.Quantization;

namespace Nibble.Cli.Commands;

/// <summary><c>nibble tour</c>: the main job on the sample model, from original to 2 bits, with what each level costs.</summary>
internal static class TourCommand
{
    private const string Levels = "Q8_0,Q6_K,Q5_K_M,Q4_K_M,Q3_K_M,Q2_K";
    private const string Prompt = "Once upon a time";
    private const int TextTokens = 60;

    private static readonly TimeSpan s_warmUp = TimeSpan.FromSeconds(0.5);

    public static Command Create()
    {
        Argument<string?> model = new("MODEL") { Description = "A Hugging Face model folder or an unquantized GGUF. Default: the sample model that comes with Nibble.", Arity = ArgumentArity.ZeroOrOne };
        Option<string> output = new("--output", "-o") { Description = "Folder for the GGUF files.", DefaultValueFactory = _ => "tour", HelpName = "FOLDER" };
        Option<string> types = new("--types") { Description = "Levels to try, separated by commas.", DefaultValueFactory = _ => Levels, HelpName = "LIST" };
        output.Validators.Add(CommonOptions.RefuseEmpty);
        Option<string?> text = new("--text", "-f") { Description = "The text to predict. Default: the text that comes with the sample model.", HelpName = "FILE" };
        Option<string> prompt = new("--prompt", "-p") { Description = "What each level continues.", DefaultValueFactory = _ => Prompt, HelpName = "TEXT" };
        Option<int> threads = CommonOptions.Threads();
        Option<bool> json = CommonOptions.Json();
        CommandWithExamples command = new("tour", "Quantize a model to several levels and show what each costs: size, perplexity, speed and text.",
            "nibble tour",
            "nibble tour ~/models/Qwen3-0.6B --types Q8_0,Q4_K_M --text wiki.test.raw -o qwen-levels")
        {
            model, output, types, text, prompt, threads, json,
        };
        command.SetAction((parsed, cancellationToken) => Task.Run(() =>
        {
            string source = parsed.GetValue(model) ?? SampleFile("");
            byte[] sample = TextFile.Read(parsed.GetValue(text) ?? SampleFile("sample.txt"), cancellationToken);
            Recipe[] recipes = Array.ConvertAll(parsed.GetRequiredValue(types).Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries), Recipe.Parse);
            if (recipes.Length == 0) throw new NibbleException("--types names no level; write some, separated by commas, as in Q8_0,Q4_K_M");
            string folder = parsed.GetRequiredValue(output);
            Directory.CreateDirectory(folder);

            string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(source)));
            TourTable table = new(name, recipes.Length + 1, isSilent: parsed.GetValue(json));
            table.Show(() =>
            {
                table.Add(Measure("original", source, sample, parsed.GetRequiredValue(prompt), parsed.GetValue(threads), table, cancellationToken));
                foreach (Recipe recipe in recipes)
                {
                    string target = Path.Combine(folder, Path.GetFileName(CommonOptions.DefaultTarget(source, recipe.Name)));
                    Quantize(source, recipe, target, parsed.GetValue(threads), table, cancellationToken);
                    table.Add(Measure(recipe.Name, target, sample, parsed.GetRequiredValue(prompt), parsed.GetValue(threads), table, cancellationToken));
                }
            });
            if (parsed.GetValue(json)) table.WriteJson(folder);
            else table.WriteTexts(folder, parsed.GetRequiredValue(prompt));
        }, CancellationToken.None));
        return command;
    }

    /// <summary>A file of the sample model, which lies beside the program.</summary>
    private static string SampleFile(string name)
    {
        string path = Path.Combine(AppContext.BaseDirectory, "models", "tiny", name);
        return Path.Exists(path) ? path : throw new NibbleException($"{path}: the sample model is missing; name a model folder, or a text with --text");
    }

    private static void Quantize(string source, Recipe recipe, string target, int threads, TourTable table, CancellationToken cancellationToken)
    {
        using ModelFile file = ModelFile.Open(source);
        SynchronousProgress<QuantizationProgress> progress = new(p => table.Report(0.2 * p.ValuesDone / p.ValuesTotal, $"{recipe.Name}: writing {p.Tensor.Source.Name}"));
        Quantizer.Write(file, QuantizationPlan.Create(file, recipe), target, threads: threads, progress: progress, cancellationToken: cancellationToken);
    }

    private static TourRow Measure(string level, string path, byte[] text, string prompt, int threads, TourTable table, CancellationToken cancellationToken)
    {
        using LanguageModel language = LanguageModel.Open(path, threads);
        EvaluationOptions options = EvaluationOptions.For(language);
        int[] tokens = language.Tokenizer.Encode(text);
        int windows = EvaluationWindow.Of(tokens.Length, options).Count;
        SynchronousProgress<PerplexityResult> progress = new(r => table.Report(0.2 + 0.7 * r.Windows / windows, $"{level}: perplexity {Format.Perplexity(r)}"));
        PerplexityResult perplexity = PerplexityMeasurement.Measure(language, tokens, options, progress, cancellationToken);

        table.Report(0.9, $"{level}: generating");
        (int[] generated, double speed) = Generate(language, prompt, cancellationToken);
        long bytes = language.File.Tensors.Sum(t => t.Bytes), weights = language.File.Tensors.Sum(t => t.Count);
        return new(level, path, File.Exists(path) ? new FileInfo(path).Length : bytes, 8.0 * bytes / weights, perplexity,
            speed, language.Tokenizer.Decode(generated));
    }

    /// <summary>The text and its speed the last time: a small model first spends more time on compiling its code than on the text.</summary>
    private static (int[] Tokens, double Speed) Generate(LanguageModel language, string prompt, CancellationToken cancellationToken)
    {
        using TextGenerator generator = new(language, language.ContextFor(null));
        int[] text = language.Tokenizer.Encode(prompt), generated;
        long start = Stopwatch.GetTimestamp();
        do generated = [.. generator.Generate(text, new() { Temperature = 0, RepeatPenalty = 1.1f, MaxTokens = TextTokens }, cancellationToken: cancellationToken)];
        while (Stopwatch.GetElapsedTime(start) < s_warmUp);
        return (generated, generator.Report.GeneratedTokensPerSecond);
    }
}
