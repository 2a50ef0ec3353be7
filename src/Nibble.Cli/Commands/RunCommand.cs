using System.CommandLine;
using System.Globalization;
using System.Text;
using Nibble.Cli.Terminal;
using Nibble.Formats;
using Nibble.Generation;
using Nibble.Models;
using Nibble.Tokenizers;

namespace Nibble.Cli.Commands;

/// <summary><c>nibble run FILE [PROMPT]</c>: text from a model.</summary>
internal static class RunCommand
{
    /// <summary>Shorter prompts are read at once, also by large models.</summary>
    private const int PromptWorthProgress = 32;

    /// <summary>Tokens of one turn of an interactive session where -n says nothing: without a limit the first would fill the context.</summary>
    private const int TurnTokens = 128;

    /// <summary>Bytes that any machine has.</summary>
    private const long MemoryWorthTelling = 1_000_000_000;

    private static readonly GenerationOptions s_defaults = new();

    public static Command Create()
    {
        Argument<string> model = new("FILE") { Description = "A GGUF file, or a Hugging Face model folder." };
        Argument<string?> prompt = new("PROMPT")
        {
            Description = "The text to continue. Without it: --file, else standard input where that is no terminal, else an interactive session.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Option<string?> promptOption = new("--prompt", "-p") { Description = "The same, as an option.", HelpName = "TEXT" };
        Option<string?> file = new("--file", "-f") { Description = "Read the prompt from a file; a line break at its end is left out.", HelpName = "FILE" };
        Option<int> count = new("--predict", "-n", "--n-predict") { Description = "Tokens to generate at most; -1 until the model ends its text or the context is full.", DefaultValueFactory = _ => -1, HelpName = "N" };
        Option<float> temperature = CommonOptions.Number("--temp", "--temperature", "Below 1 the likely becomes likelier; 0 always takes the likeliest token (greedy).", s_defaults.Temperature, "T");
        Option<int> topK = new("--top-k") { Description = "Consider so many of the likeliest tokens; 0 for all.", DefaultValueFactory = _ => s_defaults.TopK, HelpName = "N" };
        Option<float> topP = CommonOptions.Number("--top-p", null, "Consider the likeliest tokens that together have this probability; 1 for all.", s_defaults.TopP, "P");
        Option<float> minP = CommonOptions.Number("--min-p", null, "Consider tokens at least this fraction as likely as the likeliest; 0 for all.", s_defaults.MinP, "P");
        Option<float> penalty = CommonOptions.Number("--repeat-penalty", null, "Above 1 makes tokens that occurred lately less likely.", s_defaults.RepeatPenalty, "X");
        Option<int> lastN = new("--repeat-last-n") { Description = "How many of the last tokens the penalty looks at; -1 for all.", DefaultValueFactory = _ => s_defaults.RepeatLastN, HelpName = "N" };
        Option<long> seed = new("--seed", "-s") { Description = "The same seed gives the same tokens; -1 for another one each time.", DefaultValueFactory = _ => -1, HelpName = "N" };
        Option<bool> ignoreEnd = new("--ignore-eos") { Description = "Go on after the model ends its text." };
        Option<int?> context = CommonOptions.Context("Tokens of prompt and text together. Default: 4096, or the model's context where that is shorter.");
        Option<int> threads = CommonOptions.ModelThreads(), promptThreads = CommonOptions.PromptThreads();
        Option<bool> noRepack = CommonOptions.NoRepack();
        Option<I2_SLayout?> layout = CommonOptions.I2SLayout();
        Option<bool> quiet = new("--quiet", "-q") { Description = "Print the generated text alone: no prompt, no speed." };
        Option<bool> json = CommonOptions.Json();
        CommandWithExamples command = new("run", "Generate text with a model.",
            "nibble run tiny-Q4_K_M.gguf \"The captain said\" -n 64",
            "nibble run tiny-Q4_K_M.gguf --file prompt.txt --temp 0 --quiet",
            "nibble run llama-3.2-1b-q4_k_m.gguf --file book.txt --ctx 32768 --cache-type q4_0",
            "echo \"Once upon a time\" | nibble run tiny-Q4_K_M.gguf --seed 7",
            "nibble run tiny-Q4_K_M.gguf")
        {
            model, prompt, promptOption, file, count, temperature, topK, topP, minP, penalty, lastN, seed, ignoreEnd, context, layout, threads, promptThreads, noRepack, quiet,
        };
        CacheSettings cache = new(command);
        command.Add(json);
        command.SetAction((parsed, cancellationToken) => Task.Run(() =>
        {
            int most = parsed.GetValue(count);
            GenerationOptions options = new()
            {
                MaxTokens = most == -1 ? null : most,
                ContextLength = parsed.GetValue(context),
                Cache = cache.Read(parsed),
                Temperature = parsed.GetValue(temperature),
                TopK = parsed.GetValue(topK),
                TopP = parsed.GetValue(topP),
                MinP = parsed.GetValue(minP),
                RepeatPenalty = parsed.GetValue(penalty),
                RepeatLastN = parsed.GetValue(lastN),
                Seed = SeedOf(parsed.GetValue(seed)),
                IgnoreEnd = parsed.GetValue(ignoreEnd),
            };
            options.Validate();
            string? text = FindPrompt(parsed.GetValue(prompt), parsed.GetValue(promptOption), parsed.GetValue(file), cancellationToken);
            if (text is null && parsed.GetValue(json)) throw new NibbleException("--json needs a prompt: write one behind the file, or name one with --file");
            using LanguageModel language = LanguageModel.Open(parsed.GetRequiredValue(model),
                new ModelOptions { Threads = parsed.GetValue(threads), PromptThreads = parsed.GetValue(promptThreads), Repack = !parsed.GetValue(noRepack), I2SLayout = parsed.GetValue(layout) });
            CommonOptions.TellLayout(language.File);
            int contextLength = language.ContextFor(options.ContextLength);
            if (!parsed.GetValue(quiet)) TellMemory(language, contextLength, options.Cache);
            using TextGenerator generator = new(language, contextLength, options.Cache);
            if (text is null) Converse(language, generator, options with { MaxTokens = options.MaxTokens ?? TurnTokens, ContextLength = contextLength }, cancellationToken);
            else if (parsed.GetValue(json)) WriteJson(language, generator, text, options, cancellationToken);
            else Continue(language, generator, text, options, parsed.GetValue(quiet), cancellationToken);
        }, CancellationToken.None));
        return command;
    }

    /// <summary>Says how much memory will be taken where that is more than a little.</summary>
    private static void TellMemory(LanguageModel language, int contextLength, CacheOptions cache)
    {
        MemoryNeed need = language.Network.MemoryFor(contextLength, cache);
        if (need.Total < MemoryWorthTelling) return;
        Screen.Tell($"memory: {Format.Bytes(need.Weights)} weights, {Format.Bytes(need.Cache)} keys and values of {contextLength} tokens (--ctx), {Format.Bytes(need.Scratch)} to work in");
    }

    /// <summary>The seed to use: from 0 to 2^31 - 1, and one by chance for -1.</summary>
    private static int SeedOf(long wanted) => wanted switch
    {
        -1 => Random.Shared.Next(),
        >= 0 and <= int.MaxValue => (int)wanted,
        _ => throw new NibbleException($"--seed is {wanted}; take 0 to {int.MaxValue}, or -1 for one by chance"),
    };

    /// <summary>The prompt, or <see langword="null"/> for an interactive session.</summary>
    private static string? FindPrompt(string? argument, string? option, string? file, CancellationToken cancellationToken)
    {
        if (argument is not null && option is not null) throw new NibbleException("a prompt was given twice, behind the file and with --prompt; give one");
        if ((argument ?? option) is { } prompt)
        {
            if (file is not null) throw new NibbleException("a prompt and --file were both given; give one");
            return prompt;
        }
        if (file is not null)
        {
            // As llama.cpp does: nearly every editor ends a file with one.
            string text = Encoding.UTF8.GetString(TextFile.Read(file, cancellationToken));
            return text.EndsWith("\r\n", StringComparison.Ordinal) ? text[..^2] : text.EndsWith('\n') ? text[..^1] : text;
        }
        if (!Console.IsInputRedirected && !Console.IsOutputRedirected) return null;
        // A text that is piped in ends with the line break of its last line, which is no part of what is to be continued.
        return Encoding.UTF8.GetString(TextFile.ReadStandardInput(cancellationToken)).TrimEnd('\r', '\n');
    }

    private static void Continue(LanguageModel language, TextGenerator generator, string prompt, GenerationOptions options, bool quiet, CancellationToken cancellationToken)
    {
        try
        {
            Stream(language, generator, quiet ? "" : prompt, Tokens(language, prompt), options, cancellationToken);
        }
        catch (OperationCanceledException) when (generator.Report.GeneratedTokens > 0)
        {
            End();
            throw;
        }
        End();

        void End()
        {
            Console.Out.WriteLine();
            if (!quiet) Screen.Tell(Describe(generator.Report, options));
        }
    }

    /// <summary>Reads the prompt, prints its text, then prints what follows as it is generated.</summary>
    /// <returns>The tokens that were generated.</returns>
    private static List<int> Stream(LanguageModel language, TextGenerator generator, string text, IReadOnlyList<int> prompt, GenerationOptions options, CancellationToken cancellationToken)
    {
        StreamingDecoder decoder = new(language.Tokenizer);
        Action<int> promptRead = _ => { };
        SynchronousProgress<int> progress = new(tokens => promptRead(tokens));
        using IEnumerator<int> tokens = generator.Generate(prompt, options, progress, cancellationToken).GetEnumerator();
        bool more = ProgressDisplay.Run("Reading the prompt", show =>
        {
            int fresh = prompt.Count - generator.Tokens.Count;
            promptRead = read => show(new Step(Math.Min(1, (double)read / Math.Max(1, fresh)), ""));
            return tokens.MoveNext();
        }, isQuiet: text.Length == 0 || prompt.Count < PromptWorthProgress);
        Console.Out.Write(text);
        List<int> generated = [];
        for (; more && !Screen.IsOutputClosed; more = tokens.MoveNext())
        {
            generated.Add(tokens.Current);
            Console.Out.Write(decoder.Add(tokens.Current));
            Console.Out.Flush();
        }
        Console.Out.Write(decoder.Flush());
        return generated;
    }

    private static void Converse(LanguageModel language, TextGenerator generator, GenerationOptions options, CancellationToken cancellationToken)
    {
        Screen.Tell("Write the beginning of a text; the model continues it, and each line goes on.");
        Screen.Tell("-n sets the tokens of a turn. Ctrl-D or an empty line ends.");
        List<int> text = [];
        while (true)
        {
            Console.Error.Write("> ");
            if (TextFile.WaitFor(Console.In.ReadLine, cancellationToken) is not { Length: > 0 } line) return;
            int[] added = text.Count == 0 ? Tokens(language, line) : language.Tokenizer.Encode(line, addSpecial: false, parseSpecial: true);
            if (text.Count > 0 && text.Count + added.Length >= options.ContextLength)
            {
                Screen.Tell($"the context of {options.ContextLength} tokens is full; beginning a new text (--ctx makes it larger, up to the model's own)");
                text.Clear();
                added = Tokens(language, line);
            }
            text.AddRange(added);
            text.AddRange(Stream(language, generator, line, text, options, cancellationToken));
            Console.Out.WriteLine();
            Screen.Tell(Describe(generator.Report, options));
        }
    }

    private static void WriteJson(LanguageModel language, TextGenerator generator, string prompt, GenerationOptions options, CancellationToken cancellationToken)
    {
        int[] tokens = generator.Generate(Tokens(language, prompt), options, cancellationToken: cancellationToken).ToArray();
        GenerationReport report = generator.Report;
        StreamingDecoder decoder = new(language.Tokenizer); // as it is streamed: a space at the start belongs to what goes on
        string text = string.Concat(tokens.Select(decoder.Add)) + decoder.Flush();
        JsonOutput.Write(json =>
        {
            json.WriteStartObject();
            json.WriteString("text", text);
            json.WriteStartArray("tokens");
            foreach (int token in tokens) json.WriteNumberValue(token);
            json.WriteEndArray();
            json.WriteString("stop", report.StopReason switch { StopReason.Length => "length", StopReason.End => "end", _ => "context" });
            if (options.Seed is { } seed) json.WriteNumber("seed", seed);
            json.WriteNumber("promptTokens", report.PromptTokens);
            json.WriteNumber("generatedTokens", report.GeneratedTokens);
            json.WriteNumber("promptTokensPerSecond", report.PromptTokensPerSecond);
            json.WriteNumber("generatedTokensPerSecond", report.GeneratedTokensPerSecond);
            json.WriteEndObject();
        });
    }

    private static int[] Tokens(LanguageModel language, string prompt) => language.Tokenizer.Encode(prompt, parseSpecial: true);

    private static string Describe(GenerationReport report, GenerationOptions options)
    {
        string end = report.StopReason switch
        {
            StopReason.End => "; the model ended its text",
            StopReason.ContextFull => "; the context is full",
            _ => "",
        };
        string seed = options.Temperature > 0 ? $"; seed {options.Seed}" : "";
        return string.Create(CultureInfo.InvariantCulture,
            $"prompt {report.PromptTokens} tokens, {report.PromptTokensPerSecond:F1} tokens/s; generated {report.GeneratedTokens} tokens, {report.GeneratedTokensPerSecond:F1} tokens/s{end}{seed}");
    }
}
