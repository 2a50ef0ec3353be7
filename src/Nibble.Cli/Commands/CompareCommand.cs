using System.CommandLine;
using Nibble.Evaluation.Comparison;
using Nibble.Evaluation.Comparison.Running;
using Nibble.Evaluation.Comparison.Writing;
using Nibble.Evaluation.Tasks;
using Nibble.Quantization;

namespace Nibble.Cli.Commands;

/// <summary><c>nibble compare BASE --types LIST --text FILE</c>: what several levels of a model cost, as a report.</summary>
internal static class CompareCommand
{
    private const string Name = "compare", Output = "--output", UsualFolder = "report", UsualLevels = "Q8_0,Q6_K,Q5_K_M,Q4_K_M,IQ4_XS,Q3_K_M,Q2_K";

    public static Command Create()
    {
        Argument<string> model = new("BASE") { Description = "The model that all others are compared with: an unquantized GGUF, or a Hugging Face model folder." };
        Option<string[]> types = List("--types", $"Levels to compare, separated by commas; those whose files are not in the report's folder are made. Default: {UsualLevels}, or none with --files.");
        Option<string[]> files = List("--files", "Files to compare beside them, separated by commas.");
        Option<string> output = new(Output, "-o") { Description = "Folder for the report, the files that are made, and what is kept for a later run.", DefaultValueFactory = _ => UsualFolder, HelpName = "FOLDER" };
        output.Validators.Add(CommonOptions.RefuseEmpty);
        Option<string[]> tasks = List("--tasks", $"Tasks to do, separated by commas: {string.Join(", ", TaskCatalog.Names.Except(["humaneval"]))}.");
        Option<string[]> taskFiles = List("--task-file", "Files with tasks of your own, JSON Lines, separated by commas.");
        Option<string?> taskFolder = new("--task-dir") { Description = $"Where the data of --tasks lie. Default: what {TaskCatalog.FolderVariable} says, else {TaskCatalog.UsualFolder}.", HelpName = "FOLDER" };
        Option<int?> limit = new("--limit", "-L") { Description = "Items of each task to do at most. Default: all.", HelpName = "N" };
        Option<bool> noSpeed = new("--no-speed") { Description = "Do not measure speed." };
        Option<bool> freshSpeed = new("--fresh-speed") { Description = "Measure speed anew, where an earlier run measured it on this machine. All else is measured again when what it depends on has changed." };
        Option<bool> force = new("--force") { Description = "Let --save-card replace measurements in the files that are fuller than the new ones." };
        Option<bool> saveCard = new("--save-card") { Description = "Keep what was measured of each variant in its file's own metadata, and write a model card (NAME.gguf.md) beside it." };
        Option<bool> json = CommonOptions.Json();
        CommandWithExamples command = new(Name, "Measure what several levels of a model cost on your own text and tasks, and write a report with pictures.",
            "nibble compare models/tiny --text models/tiny/sample.txt",
            "nibble compare Qwen3-0.6B --types Q8_0,Q4_K_M,Q3_K_M --files other.gguf --text wiki.test.raw --windows 64 -o qwen-report",
            "nibble compare Qwen3-0.6B --types Q4_K_M,IQ3_XXS,IQ2_M --imatrix qwen3-imatrix.gguf --text wiki.test.raw --save-card",
            "nibble compare llama-3.2-1b-f16.gguf --text notes.txt --tasks arc_easy,piqa --task-dir evals")
        {
            model, types, files, output, tasks, taskFiles, taskFolder, limit, noSpeed, freshSpeed, saveCard, force, json,
        };
        foreach (Option option in ImportanceSource.OfComparisons) command.Add(option);
        EvaluationSettings settings = new(command);
        command.SetAction((parsed, cancellationToken) => Task.Run(() =>
        {
            string source = parsed.GetRequiredValue(model), folder = parsed.GetRequiredValue(output);
            string[] levels = parsed.GetValue(types) ?? [], others = parsed.GetValue(files) ?? [];
            if (levels.Length == 0 && others.Length == 0) levels = UsualLevels.Split(',');
            Recipe[] recipes = Array.ConvertAll(levels, Recipe.Parse);
            if (parsed.GetValue(noSpeed) && parsed.GetValue(freshSpeed)) throw new NibbleException("--no-speed measures none, and --fresh-speed measures it anew; take one");
            if (recipes.Length == 0 && ImportanceSource.OfComparisons.FirstOrDefault(o => parsed.GetResult(o) is { Implicit: false }) is { } lost)
                throw new NibbleException($"{lost.Name} is for levels that are made, and only files are named; name levels with --types");
            foreach (string path in others)
                if (!File.Exists(path) && !Directory.Exists(path)) throw new NibbleException($"{path}: no such file or folder (--files)");
            ComparisonOptions options = new()
            {
                Base = source,
                Variants =
                [
                    .. recipes.Select(r => new RequestedVariant(r.Name, Path.Combine(folder, Path.GetFileName(CommonOptions.DefaultTarget(source, r.Name))), r)),
                    .. others.Select(path => new RequestedVariant(Comparer.NameOf(path), path, null)),
                ],
                Folder = folder,
                Text = settings.ReadText(parsed, cancellationToken),
                TextName = settings.TextName(parsed),
                ContextLength = settings.Context(parsed),
                Windows = settings.Windows(parsed),
                Cache = settings.Cache(parsed),
                Run = settings.Run(parsed),
                Tasks = [.. TaskCatalog.Load(parsed.GetValue(tasks) ?? [], parsed.GetValue(taskFolder)), .. (parsed.GetValue(taskFiles) ?? []).Select(TaskFile.Read)],
                TaskOptions = new() { Limit = parsed.GetValue(limit) },
                Importance = ImportanceSource.Request(parsed, cancellationToken),
                MeasuresSpeedAnew = parsed.GetValue(freshSpeed),
                SavesCards = parsed.GetValue(saveCard),
                ReplacesFullerCards = parsed.GetValue(force),
            };
            if (parsed.GetValue(noSpeed)) options = options with { Speed = null };
            options.TaskOptions.Validate();
            ComparisonReport report = ComparisonTable.Show(progress => Comparer.Run(options, progress, cancellationToken));
            ReportFiles.Write(report, folder, options.Bounds);
            if (parsed.GetValue(json)) Console.Out.Write(ReportJson.Write(report));
            else ComparisonTable.Print(report, folder, options.SavesCards);
        }, CancellationToken.None));
        return command;
    }

    /// <summary>What an interrupted run left for the same command to go on with, in words; <see langword="null"/> for nothing.</summary>
    public static string? Kept(ParseResult parsed) =>
        parsed.CommandResult.Command.Name == Name && parsed.GetValue<string>(Output) is { } folder && Directory.Exists(Path.Combine(folder, Comparer.KeptFolder))
            ? $"what was finished is kept in {folder}; the same command goes on from there"
            : null;

    private static Option<string[]> List(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "LIST",
        CustomParser = result =>
        {
            string[] parts = [.. result.Tokens.SelectMany(t => t.Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))];
            if (parts.Length == 0) result.AddError($"{name} is empty; write some names, separated by commas");
            return parts;
        },
    };
}
