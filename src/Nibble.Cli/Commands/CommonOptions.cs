using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Nibble.Cli.Terminal;
using Nibble.Files;
using Nibble.Files.Gguf;
using Nibble.Formats;

namespace Nibble.Cli.Commands;

/// <summary>Options that several commands have, so that they read and mean the same everywhere.</summary>
internal static class CommonOptions
{
    /// <summary>More than any machine has; beyond it the system gives up rather than refuse.</summary>
    private const int MostThreads = 1024;

    public static Option<int> Threads() => Threads("--threads", "-t", "Threads to use; 0 for one per processor. Results do not depend on it.");

    /// <summary>Of commands that run a model, where a second thread of a core gains nothing.</summary>
    public static Option<int> ModelThreads() => Threads("--threads", "-t", "Threads to use; 0 for one per physical core. Results do not depend on it.");

    /// <summary>Of a command that measures speed, whose results are all about them.</summary>
    public static Option<int> MeasuredThreads() => Threads("--threads", "-t", "Threads to use; 0 for one per physical core.");

    /// <summary>Of commands that read prompts and generate.</summary>
    public static Option<int> PromptThreads() => Threads("--threads-batch", "-tb", "Threads to read prompts with; 0 for as many as --threads.");

    public static Option<bool> NoRepack() => new("--no-repack")
    {
        Description = "Multiply weights as they lie in the file instead of packing them anew in memory: slower, but the memory is the file's own pages.",
    };

    private static Option<int> Threads(string name, string alias, string description)
    {
        Option<int> threads = new(name, alias) { Description = description, DefaultValueFactory = _ => 0, HelpName = "N" };
        threads.Validators.Add(result =>
        {
            if (result.Errors.Any() || result.Tokens.Count == 0) return;
            if (!int.TryParse(result.Tokens[0].Value, out int count) || count is < 0 or > MostThreads)
                result.AddError($"{name} is {result.Tokens[0].Value}; take 0 to {MostThreads}");
        });
        return threads;
    }

    public static Option<bool> Json() => new("--json") { Description = "Print the result as JSON on standard output." };

    public static Option<string?> Output(string description)
    {
        Option<string?> output = new("--output", "-o") { Description = description, HelpName = "FILE" };
        output.Validators.Add(RefuseEmpty);
        return output;
    }

    /// <summary>Refuses a name of no characters, as a script passes for a variable that is not set.</summary>
    public static void RefuseEmpty(OptionResult result)
    {
        if (result.Tokens is [{ Value: "" }]) result.AddError($"{result.Option.Name} is empty; name the file");
    }

    /// <summary>An option that names a file.</summary>
    public static Option<string?> File(string name, string description, params string[] aliases)
    {
        Option<string?> file = new(name, aliases) { Description = description, HelpName = "FILE" };
        file.Validators.Add(RefuseEmpty);
        return file;
    }

    public static Option<int?> Context(string description) => new("--ctx", "-c", "--ctx-size") { Description = description, HelpName = "N" };

    /// <summary>The layout of I2_S, of which three have the same type number.</summary>
    public static Option<I2_SLayout?> I2SLayout() => new("--i2s-layout")
    {
        Description = "How a BitNet file packs its I2_S weights, where that is not to be told from them.",
        HelpName = string.Join('|', I2_SLayout.All),
        CustomParser = result =>
        {
            string name = result.Tokens[0].Value;
            if (!I2_SLayout.TryParse(name, out I2_SLayout? layout)) result.AddError($"--i2s-layout is '{name}'; take {I2_SLayout.Names}");
            return layout;
        },
    };

    /// <summary>Says in which layout a file's I2_S weights were taken to be, where nobody said it: a wrong one gives a model that talks nonsense.</summary>
    public static void TellLayout(ModelFile file)
    {
        if (file is { IsLayoutConcluded: true, LayoutNote: { } note }) Screen.Tell($"{file.Path}: I2_S layout {note}");
    }

    /// <summary>A number with a decimal point, whatever the language of the system; a comma is refused, not taken for a separator of thousands.</summary>
    public static Option<float> Number(string name, string? alias, string description, float otherwise, string unit)
    {
        Option<float> option = alias is null ? new(name) : new(name, alias);
        option.Description = description;
        option.HelpName = unit;
        option.DefaultValueFactory = _ => otherwise;
        option.CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            if (float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out float number)) return number;
            result.AddError($"{name} is '{text}', which is no number; write it with a point, as in 0.7");
            return otherwise;
        };
        return option;
    }

    /// <summary>Whole numbers from 1 on, separated by commas; 0 alone for none.</summary>
    public static Option<int[]> Numbers(string name, string alias, string description) => new(name, alias)
    {
        Description = description,
        HelpName = "N,…",
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            int[] numbers = [.. text.Split(',').Select(part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : 0)];
            if (text == "0") return [];
            if (numbers.Contains(0)) result.AddError($"{name} is '{text}'; give whole numbers from 1 on, separated by commas, as in 128,512");
            return numbers;
        },
    };

    /// <summary>Refuses to write over what is read, as the original of a model is seldom anywhere else, and to write two things to one file.</summary>
    /// <param name="written">What is to be written, with the options that say so.</param>
    /// <param name="read">What is read beside the model.</param>
    /// <param name="model">The model that is read, or <see langword="null"/> for none.</param>
    /// <exception cref="NibbleException">A file is named twice.</exception>
    public static void CheckTargets(IEnumerable<(string Option, string? Path)> written, IEnumerable<(string Option, string? Path)> read, ModelFile? model)
    {
        Dictionary<string, string> taken = new(StringComparer.Ordinal);
        foreach ((string option, string? path) in read)
            if (path is not null) taken[RealPath(path)] = $"what {option} reads";
        foreach (string path in model?.Files ?? []) taken[RealPath(path)] = "the model that is read";
        foreach ((string option, string? path) in written)
        {
            if (path is null) continue;
            string full = RealPath(path);
            if (taken.TryGetValue(full, out string? what)) throw new NibbleException($"{path}: is {what}; name another file with {option}");
            taken[full] = $"what {option} writes";
        }
    }

    /// <summary>Where a file lies, whatever links lead there: one name for one file.</summary>
    private static string RealPath(string path)
    {
        string full = Path.GetFullPath(path);
        if (Path.GetDirectoryName(full) is not { } folder) return full;
        FileSystemInfo entry = Directory.Exists(full) ? new DirectoryInfo(full) : new FileInfo(full);
        // A loop of links has no end; such a file cannot be opened either.
        try
        {
            if (entry.ResolveLinkTarget(returnFinalTarget: true) is { Exists: true } target) return RealPath(target.FullName);
        }
        catch (IOException)
        {
            return full;
        }
        return Path.Combine(RealPath(folder), Path.GetFileName(full));
    }

    /// <summary>The file to write where none was named: beside the input, called after it and the type.</summary>
    /// <exception cref="NibbleException">That is the input itself.</exception>
    public static string DefaultTarget(string input, string type)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(input));
        string name = Directory.Exists(full) ? Path.GetFileName(full) : Path.GetFileNameWithoutExtension(full);
        if (SplitName.Parse(full) is { } part) name = part.Stem;
        // tiny-F16.gguf becomes tiny-Q4_K_M.gguf, not tiny-F16-Q4_K_M.gguf.
        if (Quantization.FileNameLevel.Find(name) is { } old) name = name[..old.Start].TrimEnd('-', '.', '_') is { Length: > 0 } stem ? stem : name;
        string target = Path.Combine(Path.GetDirectoryName(full) ?? ".", $"{name}-{type}.gguf");
        return target == full ? throw new NibbleException($"{input}: is called what its result would be; name the file to write with --output") : target;
    }
}
