using System.CommandLine;
using Nibble.Cli.Terminal;
using Nibble.Evaluation.Comparison.Running;
using Nibble.Files;
using Nibble.Generation;
using Nibble.Quantization.Importance;
using Nibble.Quantization.Recipes;

namespace Nibble.Cli.Commands;

/// <summary>The options of <c>nibble quantize</c> that say where the importance matrix comes from, and what they ask for.</summary>
internal static class ImportanceSource
{
    private static readonly Option<string?> s_imatrix = CommonOptions.File("--imatrix", "Weigh errors by an importance matrix (see nibble imatrix), GGUF or .dat.");
    private static readonly Option<string?> s_calibrate = Text();
    private static readonly Option<int?> s_context = CommonOptions.Context($"With --calibrate: tokens of a window. Default: {Calibration.UsualWindow}, or the model's context where that is shorter.");
    private static readonly Option<int?> s_chunks = new("--chunks") { Description = "With --calibrate: windows to read at most. Default: all.", HelpName = "N" };
    private static readonly Option<string?> s_write = CommonOptions.File("--write-imatrix", "With --calibrate: keep the importance matrix in this file.");
    private static readonly Option<string[]> s_include = new("--include-weights") { Description = "Use the importance matrix for tensors with this in their name alone; may be repeated.", HelpName = "NAME" };
    private static readonly Option<string[]> s_exclude = new("--exclude-weights") { Description = "Do not use it for tensors with this in their name; may be repeated.", HelpName = "NAME" };

    /// <summary>Those that choose tensors.</summary>
    public static IEnumerable<Option> Filters => [s_include, s_exclude];

    /// <summary>Those that say which matrix, and what for.</summary>
    public static IEnumerable<Option> OfComparisons => [s_imatrix, s_calibrate, .. Filters];

    public static IEnumerable<Option> Options => [s_imatrix, s_calibrate, s_context, s_chunks, s_write, s_include, s_exclude];

    /// <summary>Where a matrix that is collected is to be kept, or <see langword="null"/>.</summary>
    public static string? Target(ParseResult parsed) => parsed.GetValue(s_write);

    /// <summary>The files that are read, with their options.</summary>
    public static IEnumerable<(string Option, string? Path)> Sources(ParseResult parsed) => [(s_imatrix.Name, parsed.GetValue(s_imatrix)), (s_calibrate.Name, parsed.GetValue(s_calibrate))];

    /// <summary>What is used of the matrix, and what a recipe keeps of where it is from.</summary>
    public sealed record Result(ImportanceUse Use, RecipeImportance Origin);

    /// <summary>Refuses options that do not go together, before anything large is read.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="recipe">The recipe to follow, if there is one.</param>
    /// <param name="isDryRun">Whether nothing is to be made, for which no model is run.</param>
    public static void Check(ParseResult parsed, RecipeFile? recipe, bool isDryRun)
    {
        string? file = parsed.GetValue(s_imatrix), text = parsed.GetValue(s_calibrate);
        if (file is not null && text is not null) throw new NibbleException("--imatrix and --calibrate are two sources of one thing; take one");
        if (text is null && new Option[] { s_context, s_chunks, s_write }.FirstOrDefault(o => parsed.GetResult(o) is { Implicit: false }) is { } lost)
            throw new NibbleException($"{lost.Name} belongs to --calibrate TEXT; give that too");
        Option? include = Said(parsed, s_include), exclude = Said(parsed, s_exclude);
        if (include is not null && exclude is not null) throw new NibbleException($"{include.Name} and {exclude.Name} each choose the tensors that the matrix is used for; take one");
        if ((include ?? exclude) is { } filter && file is null && text is null) throw new NibbleException($"{filter.Name} chooses tensors for an importance matrix; give one with --imatrix, or collect it with --calibrate");
        if (text == "-") throw new NibbleException("--calibrate takes a file: a recipe could not read standard input again");
        if (text is not null && isDryRun) throw new NibbleException("--dry-run does not run the model, which --calibrate asks for; give a matrix with --imatrix, or leave it out");
        if (parsed.GetValue(s_chunks) < 1) throw new NibbleException("--chunks must be 1 or more");
        if (Target(parsed) is { } target) OutputFolder.Check(target);
        if (recipe is null) return;
        string? name = RecipeCommands.Source(parsed).Path;
        if (recipe.Importance is null && (file ?? text) is not null) throw new NibbleException($"{name}: the recipe was made without an importance matrix; leave out {(file is null ? "--calibrate" : "--imatrix")}");
        if (recipe.Importance is { } asked && file is null && text is null)
            throw new NibbleException($"{name}: the recipe was made with the importance matrix {asked.Matrix.Name} (SHA-256 {asked.Matrix.Sha256}); give it with --imatrix{(asked.Calibration is { } from ? $", or collect it again with --calibrate and the text {from.Text.Name}" : "")}");
        if (recipe.Importance?.Calibration is not null && new Option[] { s_context, s_chunks }.FirstOrDefault(o => parsed.GetResult(o) is { Implicit: false }) is { } said)
            throw new NibbleException($"{name}: {said.Name} is what the recipe says already; leave it out");
    }

    /// <summary>An option where the command line has it.</summary>
    private static Option? Said(ParseResult parsed, Option option) => parsed.GetResult(option) is { Implicit: false } ? option : null;

    /// <summary>The importance matrix that is asked for, or <see langword="null"/> for none.</summary>
    /// <param name="parsed">The command line, as <see cref="Check"/> let it pass.</param>
    /// <param name="model">The model.</param>
    /// <param name="recipe">The recipe to follow, if there is one: then it has to be the same matrix.</param>
    /// <param name="threads">Threads to use.</param>
    /// <param name="cancellationToken">Stops after the window at hand.</param>
    public static Result? Read(ParseResult parsed, ModelFile model, RecipeFile? recipe, int threads, CancellationToken cancellationToken)
    {
        string? file = parsed.GetValue(s_imatrix), text = parsed.GetValue(s_calibrate);
        if ((file ?? text) is not { } source) return null;
        RecipeImportance? asked = recipe?.Importance;
        string[] include = asked is null ? parsed.GetValue(s_include) ?? [] : [.. asked.Include], exclude = asked is null ? parsed.GetValue(s_exclude) ?? [] : [.. asked.Exclude];
        (ImportanceMatrix matrix, RecipeImportance origin) = text is not null
            ? Collect(parsed, model, text, asked, threads, cancellationToken)
            : (ImportanceFile.Read(source), new(HashedFile.Of(source, cancellationToken: cancellationToken), [], []));
        if (asked is not null && origin.Matrix.Sha256 != asked.Matrix.Sha256)
            throw new NibbleException($"{source}: {(file is null ? "the importance matrix collected on it" : "this importance matrix")} has SHA-256 {origin.Matrix.Sha256}, and the recipe {RecipeCommands.Source(parsed).Path} was made with another, {asked.Matrix.Name} ({asked.Matrix.Sha256}); give that one with --imatrix");
        foreach (string part in asked is null ? include.Concat(exclude) : [])
            if (!matrix.Entries.Keys.Any(name => name.Contains(part, StringComparison.Ordinal))) Screen.Tell($"warning: no tensor of the importance matrix has '{part}' in its name, so {(include.Length > 0 ? s_include.Name : s_exclude.Name)} {part} does nothing");
        return new(ImportanceUse.Of(matrix, file ?? parsed.GetValue(s_write), include, exclude), origin with { Include = include, Exclude = exclude });
    }

    /// <summary>The same for <c>nibble compare</c>, which has the options of <see cref="OfComparisons"/>, collects a matrix itself and keeps it.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="cancellationToken">Stops while the text comes from a pipe.</param>
    public static ImportanceRequest? Request(ParseResult parsed, CancellationToken cancellationToken)
    {
        Check(parsed, null, isDryRun: false);
        string? file = parsed.GetValue(s_imatrix), text = parsed.GetValue(s_calibrate);
        if ((file ?? text) is null) return null;
        ImportanceRequest request = new() { Include = parsed.GetValue(s_include) ?? [], Exclude = parsed.GetValue(s_exclude) ?? [] };
        return file is not null ? request with { MatrixPath = file } : request with { Text = TextFile.ReadText(text!, cancellationToken), TextName = Path.GetFileName(text) };
    }

    private static Option<string?> Text()
    {
        Option<string?> text = CommonOptions.File("--calibrate", "Collect the importance matrix first, by running the model on a text, as nibble imatrix does.");
        text.HelpName = "TEXT";
        return text;
    }

    private static (ImportanceMatrix Matrix, RecipeImportance Origin) Collect(ParseResult parsed, ModelFile model, string text, RecipeImportance? asked, int threads, CancellationToken cancellationToken)
    {
        HashedFile hash = HashedFile.Of(text, cancellationToken: cancellationToken);
        if (asked?.Calibration is { } former && former.Text.Sha256 != hash.Sha256)
            throw new NibbleException($"{text}: is not the text that the recipe {RecipeCommands.Source(parsed).Path} was made with ({former.Text.Name}, SHA-256 {former.Text.Sha256}); give that one with --calibrate");
        int chunks = asked?.Calibration?.Windows ?? parsed.GetValue(s_chunks) ?? int.MaxValue;
        ImportanceMatrix matrix = new Calibration(text, asked?.Calibration?.Context ?? parsed.GetValue(s_context), chunks).Collect(model.Path, new ModelOptions { Threads = threads, I2SLayout = model.Layout }, cancellationToken);
        foreach ((string tensor, int expert, long tokens) in matrix.RareExperts())
            Screen.Tell($"{tensor}: expert {expert} saw {tokens} tokens, too few to trust; take a longer or more varied text");
        return (matrix, new(Save(matrix, parsed.GetValue(s_write)), [], [], new(hash, matrix.ChunkLength, matrix.Chunks)));
    }

    /// <summary>Writes the matrix where it is to be kept, else to a file for a moment, since a recipe names it by the hash of the file.</summary>
    private static HashedFile Save(ImportanceMatrix matrix, string? path)
    {
        if (path is not null)
        {
            ImportanceFile.Write(matrix, path);
            return HashedFile.Of(path);
        }
        DirectoryInfo folder = Directory.CreateTempSubdirectory("nibble-");
        try
        {
            string passing = Path.Combine(folder.FullName, "imatrix.gguf");
            ImportanceFile.Write(matrix, passing);
            return HashedFile.Of(passing);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
