using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Nibble.Cli.Terminal;
using Nibble.Evaluation.Cards;
using Nibble.Evaluation.Tasks;
using Nibble.Evaluation.Tasks.Named;
using Nibble.Files;
using Nibble.Formats;
using Nibble.Generation;

namespace Nibble.Cli.Commands;

/// <summary><c>nibble eval MODEL --tasks …</c>: how well a model answers questions.</summary>
internal static class EvalCommand
{
    private const string Name = "eval", NoResume = "--no-resume";

    public static Command Create()
    {
        Argument<string> model = new("MODEL") { Description = "A GGUF file, or a Hugging Face model folder." };
        Option<string[]> names = new("--tasks") { Description = $"The tasks, separated by commas: {string.Join(", ", TaskCatalog.Names)}; of the groups also one task, as mmlu_astronomy or mgsm_direct_de.", HelpName = "TASK,…" };
        Option<string[]> files = new("--task-file") { Description = "A task of your own, JSON Lines; may be repeated. docs/Evaluation.md describes the form.", HelpName = "FILE" };
        Option<string?> folder = CommonOptions.File("--task-dir", $"The folder with the tasks' data. Default: {TaskCatalog.FolderVariable} in the environment, or {TaskCatalog.UsualFolder}.");
        folder.HelpName = "FOLDER";
        Option<int?> shots = new("--num-fewshot", "--num_fewshot") { Description = "Examples before each question. Default: 5 of gsm8k, none of the others.", HelpName = "N" };
        Option<int?> limit = new("--limit", "-L") { Description = "Ask only the first N questions of each task.", HelpName = "N" };
        Option<int> seed = new("--seed") { Description = "Draws the examples and the intervals of a comparison.", DefaultValueFactory = _ => new EvaluationOptions().Seed, HelpName = "N" };
        Option<int?> context = CommonOptions.Context("Tokens of a text; of a longer one the end is read. Default: the model's context.");
        Option<string?> comparedWith = CommonOptions.File("--base", "Compare with this model on the same questions.");
        Option<string> samples = new("--samples") { Description = "Where humaneval's completions are written, for its official checker; they are never executed here.", DefaultValueFactory = _ => "samples.jsonl", HelpName = "FILE" };
        samples.Validators.Add(CommonOptions.RefuseEmpty);
        Option<string?> journal = CommonOptions.File("--cache-dir", "Where answers are kept, so that an interrupted or repeated run need not ask again. Default: the user's cache folder.");
        journal.HelpName = "FOLDER";
        Option<bool> noResume = new(NoResume) { Description = "Ask every question again, and keep no answers." };
        Option<int> threads = CommonOptions.ModelThreads();
        Option<bool> noRepack = CommonOptions.NoRepack();
        Option<I2_SLayout?> layout = CommonOptions.I2SLayout();
        Option<bool> json = CommonOptions.Json();
        CommandWithExamples command = new(Name, "Measure how well a model answers questions, as lm-evaluation-harness does.",
            "nibble eval tiny-Q4_K_M.gguf --tasks arc_easy,piqa --limit 200 --task-dir evals",
            "nibble eval llama-Q4_K_M.gguf --base llama-F16.gguf --tasks hellaswag,winogrande,mmlu --num-fewshot 5",
            "nibble eval llama-Q4_K_M.gguf --task-file my-questions.jsonl --json",
            "nibble eval llama-Q4_K_M.gguf --tasks arc_easy,gsm8k --save-card")
        {
            model, names, files, folder, shots, limit, seed, context, comparedWith, samples, journal, noResume, layout, threads, noRepack,
        };
        CacheSettings cache = new(command);
        CardOption card = new(command, "; let --samples replace a file");
        command.Add(json);
        command.SetAction((parsed, cancellationToken) => Task.Run(() =>
        {
            EvaluationOptions options = new()
            {
                Shots = parsed.GetValue(shots),
                Limit = parsed.GetValue(limit),
                Seed = parsed.GetValue(seed),
                ContextLength = parsed.GetValue(context),
                Cache = cache.Read(parsed),
                JournalFolder = parsed.GetValue(noResume) ? null : parsed.GetValue(journal) ?? EvaluationOptions.UsualJournalFolder,
            };
            options.Validate();
            List<EvaluationTask> tasks = [.. TaskCatalog.Load(Split(parsed.GetValue(names)), parsed.GetValue(folder)), .. (parsed.GetValue(files) ?? []).Select(TaskFile.Read)];
            if (tasks.Count == 0) throw new NibbleException($"name what to ask with --tasks ({string.Join(", ", TaskCatalog.Names)}) or --task-file");
            if (tasks.GroupBy(t => t.Name).FirstOrDefault(g => g.Count() > 1) is { } twice) throw new NibbleException($"there are two tasks called {twice.Key}; rename a --task-file");
            ModelOptions modelOptions = new() { Threads = parsed.GetValue(threads), Repack = !parsed.GetValue(noRepack), I2SLayout = parsed.GetValue(layout) };

            string path = parsed.GetRequiredValue(model);
            string? basePath = parsed.GetValue(comparedWith);
            card.Check(parsed, path);
            card.CheckKeeps(parsed, path, PlannedMeasurement.Of(tasks, options));
            if (basePath is not null) ModelPair.Check(basePath, path, modelOptions.I2SLayout);
            string target = parsed.GetRequiredValue(samples);
            bool writesSamples = tasks.Exists(t => t.Name == HumanEval.Name);
            if (writesSamples)
            {
                foreach (string? asked in (ReadOnlySpan<string?>)[path, basePath])
                {
                    if (asked is null) continue;
                    using ModelFile file = ModelFile.Open(asked, modelOptions.I2SLayout);
                    CommonOptions.CheckTargets([(samples.Name, target)], tasks.SelectMany(t => t.Files).Select(f => ("a task", (string?)f)), file);
                }
                OutputFolder.Check(target);
                if (File.Exists(target) && !card.MayReplace(parsed)) throw new NibbleException($"{target}: is there already, perhaps of another model; name another file with {samples.Name}, or replace it with --force");
            }

            IReadOnlyList<TaskResult>? first = basePath is null ? null : Ask(basePath, [.. tasks.Where(t => t.Metrics.Count > 0)]);
            IReadOnlyList<TaskResult> results = Ask(path, tasks);
            if (writesSamples) HumanEval.WriteSamples(results.First(r => r.Name == HumanEval.Name), target);
            EvalReport report = new(path, results, basePath, first, options.Seed, writesSamples ? target : null);
            if (parsed.GetValue(json)) report.WriteJson();
            else report.Print();
            card.Save(parsed, path, EvaluationRecord.Of(results, options), parsed.GetValue(json), cancellationToken);

            IReadOnlyList<TaskResult> Ask(string file, IReadOnlyList<EvaluationTask> asked)
            {
                using LanguageModel language = LanguageModel.Open(file, modelOptions);
                CommonOptions.TellLayout(language.File);
                string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(file));
                EvaluationOptions known = options.JournalFolder is null ? options : options with { ModelSha256 = Hash(name, language.File, cancellationToken) };
                Stopwatch clock = Stopwatch.StartNew();
                EvaluationProgress last = default;
                IReadOnlyList<TaskResult> answers = ProgressDisplay.Run(name, show => TaskEvaluator.Run(language, asked, known, new SynchronousProgress<EvaluationProgress>(p =>
                {
                    if (p.Tokens == 0) clock.Restart();
                    last = p;
                    show(new Step(p.Fraction, Describe(p)));
                }), cancellationToken));
                if (last.Tokens > 0) Screen.Tell(string.Create(CultureInfo.InvariantCulture, $"{file}: read {last.Tokens:N0} tokens in {Format.Seconds(clock.Elapsed)}, {last.Tokens / clock.Elapsed.TotalSeconds:F0} tokens/s"));
                if (last.KeptItems > 0) Screen.Tell(string.Create(CultureInfo.InvariantCulture, $"{file}: {last.KeptItems:N0} of {last.TotalItems:N0} items kept from earlier ({NoResume} asks again)"));
                return answers;
            }
        }, CancellationToken.None));
        return command;
    }

    /// <summary>What stays where the command was interrupted, or <see langword="null"/>.</summary>
    public static string? Kept(ParseResult parsed) =>
        parsed.CommandResult.Command.Name == Name && !parsed.GetValue<bool>(NoResume) ? "answers so far are kept; the same command goes on from there" : null;

    /// <summary>Items are those that this run asks, as the percentage beside them is of what this run reads.</summary>
    private static string Describe(EvaluationProgress p) => string.Create(CultureInfo.InvariantCulture,
        $"{p.Task}, {p.Items - p.KeptItems:N0} of {p.TotalItems - p.KeptItems:N0} items{(p.KeptItems > 0 ? $", {p.KeptItems:N0} more kept from earlier" : "")}");

    private static string Hash(string name, ModelFile file, CancellationToken cancellationToken)
    {
        double total = file.Files.Sum(path => new FileInfo(path).Length), read = 0;
        return ProgressDisplay.Run(name, show => HashedFile.OfModel(file, bytes => show(new Step((read += bytes) / total, "reading the file")), cancellationToken));
    }

    private static IEnumerable<string> Split(string[]? names) => (names ?? []).SelectMany(n => n.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
}
