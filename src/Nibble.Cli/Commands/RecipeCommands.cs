using System.CommandLine;
using Nibble.Cli.Terminal;
using Nibble.Files;
using Nibble.Quantization;
using Nibble.Quantization.Recipes;

namespace Nibble.Cli.Commands;

/// <summary>The options of <c>nibble quantize</c> for making a model again from a recipe, and for checking one.</summary>
internal static class RecipeCommands
{
    private static readonly Option<string?> s_write = CommonOptions.File("--write-recipe", "Also write a recipe: a small text from which the same bytes can be made again.");
    private static readonly Option<string?> s_recipe = CommonOptions.File("--recipe", "Make what a recipe says, from the same input; the word behind INPUT is then the file to write.");
    private static readonly Option<string?> s_verify = new("--verify") { Description = "Make nothing: check that this file is what the recipe makes; exit with code 3 if it is not.", HelpName = "FILE.gguf" };

    public static IEnumerable<Option> Options => [s_write, s_recipe, s_verify];

    /// <summary>The file that is read, with its option.</summary>
    public static (string Option, string? Path) Source(ParseResult parsed) => (s_recipe.Name, parsed.GetValue(s_recipe));

    /// <summary>Whether a recipe is to be written.</summary>
    public static bool Writes(ParseResult parsed) => parsed.GetValue(s_write) is not null;

    /// <summary>Whether a file is to be checked.</summary>
    public static bool IsVerification(System.CommandLine.Parsing.CommandResult parsed) => parsed.GetValue(s_verify) is not null;

    /// <summary>Where to write the recipe of what is made, or <see langword="null"/>.</summary>
    /// <exception cref="NibbleException">It cannot be written there, which would else turn out at the very end.</exception>
    public static string? Target(ParseResult parsed, bool isDryRun)
    {
        if (parsed.GetValue(s_write) is not { } path) return null;
        if (isDryRun) throw new NibbleException("--write-recipe needs the result, which --dry-run does not make; leave out one of them");
        OutputFolder.Check(path);
        return path;
    }

    /// <summary>The recipe to follow, or <see langword="null"/>.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="contained">Options for what a recipe says already.</param>
    public static RecipeFile? Read(ParseResult parsed, IEnumerable<Option> contained)
    {
        if (parsed.GetValue(s_recipe) is not { } path) return null;
        if (contained.FirstOrDefault(o => parsed.GetResult(o) is { Implicit: false }) is { } said) throw new NibbleException($"{path}: types, metadata and parts come from the recipe; leave out {said.Name}, or make another file without --recipe");
        return RecipeFile.Read(path);
    }

    /// <summary>Checks a file, and says that it is what the recipe makes.</summary>
    /// <exception cref="RecipeMismatchException">It is not.</exception>
    public static void Verify(ParseResult parsed, bool json, CancellationToken cancellationToken)
    {
        string file = parsed.GetRequiredValue(s_verify)!, path = parsed.GetValue(s_recipe) ?? throw new NibbleException("--verify needs --recipe FILE to compare with");
        RecipeFile recipe = RecipeFile.Read(path);
        string? difference = Reading($"Checking {Path.GetFileName(file)}", SizeOf(file), read => recipe.Compare(file, read, cancellationToken));
        if (json)
        {
            JsonOutput.Write(writer =>
            {
                writer.WriteStartObject();
                writer.WriteString("file", file);
                writer.WriteString("recipe", path);
                writer.WriteBoolean("same", difference is null);
                if (difference is not null) writer.WriteString("difference", difference);
                writer.WriteEndObject();
            });
        }
        if (difference is not null) throw new RecipeMismatchException($"{file}: is not what {path} makes: {difference}");
        if (!json) Screen.Print($"{file} is what {path} makes");
    }

    /// <summary>Checks that a model is the one that the recipe was made with.</summary>
    public static void CheckInputs(RecipeFile recipe, ModelFile file, CancellationToken cancellationToken) =>
        Reading($"Checking {Path.GetFileName(file.Path)}", file.Files.Sum(path => new FileInfo(path).Length), read =>
        {
            recipe.CheckInputs(file, read, cancellationToken);
            return true;
        });

    /// <summary>Checks what was made.</summary>
    /// <exception cref="RecipeMismatchException">It is not what the recipe makes.</exception>
    public static void CheckResult(RecipeFile recipe, string target, bool json, CancellationToken cancellationToken)
    {
        string? difference = Reading($"Checking {Path.GetFileName(target)}", SizeOf(target), read => recipe.Compare(target, read, cancellationToken));
        if (difference is not null)
        {
            string version = recipe.Version == RecipeFile.CurrentVersion ? "" : $"; the recipe was made by version {recipe.Version} of Nibble, and this is {RecipeFile.CurrentVersion}";
            throw new RecipeMismatchException($"{target}: was written, but is not the same as what the recipe was made with: {difference}{version}");
        }
        if (!json) Screen.Print("the same bytes as the recipe was made with");
    }

    /// <summary>Writes the recipe of what was made.</summary>
    public static void Write(string path, ModelFile source, QuantizationPlan plan, string target, RecipeImportance? importance, bool json, CancellationToken cancellationToken)
    {
        Reading($"Hashing {Path.GetFileName(target)}", RecipeFile.BytesToRead(source, plan), read => RecipeFile.Of(source, plan, target, importance, read, cancellationToken)).Write(path);
        if (!json) Screen.Print($"wrote {path}");
    }

    private static long SizeOf(string path)
    {
        using ModelFile file = ModelFile.Open(path);
        return file.Files.Sum(part => new FileInfo(part).Length);
    }

    /// <summary>Shows how much of some bytes was read.</summary>
    private static T Reading<T>(string title, long bytes, Func<Action<long>, T> work)
    {
        long done = 0, shown = 0;
        Lock gate = new();
        return ProgressDisplay.Run(title, show => work(read =>
        {
            lock (gate)
            {
                done += read;
                if (done - shown < bytes / 200) return;
                shown = done;
                show(new Step(Math.Min(1, (double)done / bytes), ""));
            }
        }));
    }
}
