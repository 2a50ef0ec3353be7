using System.Reflection;
using Nibble.Files;
using Nibble.Files.Gguf;
using Nibble.Formats;

namespace Nibble.Quantization.Recipes;

/// <summary>A tensor of a result: its name, the format it is stored in, SHA-256 of its bytes, and the name it had in the source.</summary>
public sealed record RecipeTensor(string Name, WeightFormat Format, string Sha256, string SourceName);

/// <summary>A text that an importance matrix was collected on while quantizing.</summary>
/// <param name="Text">The text.</param>
/// <param name="Context">Tokens of a window.</param>
/// <param name="Windows">Windows that were read.</param>
public sealed record RecipeCalibration(HashedFile Text, int Context, int Windows);

/// <summary>The importance matrix of a result.</summary>
/// <param name="Matrix">The file, or the one that <see cref="Importance.ImportanceFile.Write(Importance.ImportanceMatrix, string)"/> makes of it.</param>
/// <param name="Include">Parts of names of the tensors that it was used for; all where there are none.</param>
/// <param name="Exclude">Parts of names of the tensors that it was not used for.</param>
/// <param name="Calibration">Where it was collected in the same step, on what.</param>
public sealed record RecipeImportance(HashedFile Matrix, IReadOnlyList<string> Include, IReadOnlyList<string> Exclude, RecipeCalibration? Calibration = null);

/// <summary>
/// All that is needed to make a quantized model again, byte for byte, and to tell whether a file is that model: a small text
/// that people can read and compare. A <see cref="Recipe"/> names types by rules; this names the type of each tensor.
/// <code>
/// RecipeFile recipe = RecipeFile.Of(source, plan, "tiny-Q4_K_M.gguf");
/// recipe.Write("tiny-Q4_K_M.json");
/// string? difference = RecipeFile.Read("tiny-Q4_K_M.json").Compare("downloaded.gguf");
/// </code>
/// </summary>
/// <param name="Version">The version of Nibble that made it.</param>
/// <param name="Recipe">The name under which the file says how it is quantized.</param>
/// <param name="Inputs">The files of the source.</param>
/// <param name="Layout">How the source packs its I2_S weights; <see langword="null"/> where it has none.</param>
/// <param name="Importance">The importance matrix; <see langword="null"/> for none.</param>
/// <param name="AllowRequantize">See <see cref="QuantizationOptions.AllowRequantize"/>.</param>
/// <param name="AllowNan">See <see cref="QuantizationOptions.AllowNan"/>.</param>
/// <param name="PrunedLayers">Layers that were left out, in order.</param>
/// <param name="Split">How the result is spread over several files; <see langword="null"/> for one.</param>
/// <param name="Metadata">Metadata that was set.</param>
/// <param name="Tensors">The tensors in the order of the file.</param>
/// <param name="Outputs">The files of the result.</param>
public sealed partial record RecipeFile(string Version, Recipe Recipe, IReadOnlyList<HashedFile> Inputs, I2_SLayout? Layout, RecipeImportance? Importance, bool AllowRequantize, bool AllowNan,
    IReadOnlyList<int> PrunedLayers, SplitOptions? Split, IReadOnlyList<KeyValuePair<string, MetadataValue>> Metadata, IReadOnlyList<RecipeTensor> Tensors, IReadOnlyList<HashedFile> Outputs)
{
    /// <summary>The version of this Nibble.</summary>
    public static string CurrentVersion { get; } =
        typeof(RecipeFile).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    /// <summary>The recipe of a file that was just written. Both it and the source are read once more, to hash them.</summary>
    /// <param name="source">The model that was quantized.</param>
    /// <param name="plan">How.</param>
    /// <param name="target">The result: the file, or what its parts are called after.</param>
    /// <param name="importance">The importance matrix of the plan's options.</param>
    /// <param name="bytesRead">Told how many more bytes were read, from any thread; of <see cref="BytesToRead"/>.</param>
    /// <param name="cancellationToken">Stops at once.</param>
    /// <exception cref="NibbleException">A file cannot be read, or the plan sets metadata that a recipe cannot hold.</exception>
    public static RecipeFile Of(ModelFile source, QuantizationPlan plan, string target, RecipeImportance? importance = null,
        Action<long>? bytesRead = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(plan);
        if ((plan.Options.Importance is null) != (importance is null)) throw new ArgumentException("the importance matrix is the plan's", nameof(importance));
        foreach ((string key, MetadataValue value) in plan.Options.Metadata)
            if (MetadataText.Write(value) is null) Throw.BadInput($"metadata key '{key}' is an array or no text, which a recipe cannot hold");
        // The name of a folder becomes the name of the model, and folders have other names elsewhere.
        // A key that is set twice has its last value, in its first place, as in the file.
        List<KeyValuePair<string, MetadataValue>> metadata = [.. plan.Options.Metadata.GroupBy(pair => pair.Key, StringComparer.Ordinal).Select(pairs => pairs.Last())];
        if (source is not GgufFile && plan.Metadata.TryGet("general.name", out MetadataValue? name) && metadata.All(pair => pair.Key != "general.name"))
            metadata.Add(new("general.name", name));

        using ModelFile result = ModelFile.Open(plan.Files(target)[0].Path);
        Dictionary<string, string> sources = plan.Tensors.ToDictionary(t => t.Target.Name, t => t.Source.Name, StringComparer.Ordinal);
        string[] tensors = new string[result.Tensors.Count];
        Parallel.For(0, tensors.Length, Parallelism(cancellationToken), i => tensors[i] = HashedFile.Of(result, result.Tensors[i], bytesRead, cancellationToken));
        return new RecipeFile(CurrentVersion, plan.Recipe, Hash(source.Files, bytesRead, cancellationToken), source.Layout, importance, plan.Options.AllowRequantize, plan.Options.AllowNan,
            [.. plan.Options.PrunedLayers.Order()], plan.Options.Split, metadata,
            [.. result.Tensors.Select((tensor, i) => new RecipeTensor(tensor.Name, tensor.Format!, tensors[i], sources[tensor.Name]))], Hash(result.Files, bytesRead, cancellationToken));
    }

    /// <summary>Bytes that <see cref="Of"/> reads.</summary>
    public static long BytesToRead(ModelFile source, QuantizationPlan plan)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(plan);
        return source.Files.Sum(path => new FileInfo(path).Length) + 2 * plan.TargetBytes;
    }

    /// <summary>What to quantize with so that the same bytes come out.</summary>
    /// <param name="importance">The columns' importance, from the same matrix; see <see cref="Importance"/>.</param>
    public QuantizationOptions Options(IReadOnlyDictionary<string, float[]>? importance) => new()
    {
        AllowRequantize = AllowRequantize,
        AllowNan = AllowNan,
        PrunedLayers = PrunedLayers.ToHashSet(),
        Split = Split,
        Metadata = Metadata,
        Importance = importance,
        Formats = Tensors.ToDictionary(t => t.SourceName, t => t.Format, StringComparer.Ordinal),
    };

    /// <summary>Checks that a model is the one that this was made of.</summary>
    /// <exception cref="NibbleException">It is another, or cannot be read; the message names the first file that differs.</exception>
    public void CheckInputs(ModelFile source, Action<long>? bytesRead = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        HashedFile[] files = Hash(source.Files, bytesRead, cancellationToken);
        if (files is [var one] && Inputs is [var other])
        {
            if (one.Sha256 != other.Sha256) Throw.BadFile(source.Path, $"is not the model that the recipe was made with ({Quoted.Of(other.Name)}, SHA-256 {other.Sha256}): its own SHA-256 is {one.Sha256}; give that model");
            return;
        }
        foreach (HashedFile file in Inputs)
        {
            if (files.FirstOrDefault(f => f.Name == file.Name) is not { } mine) Throw.BadFile(source.Path, $"has no file {Quoted.Of(file.Name)}, which the model that the recipe was made with has; give that model");
            else if (mine.Sha256 != file.Sha256) Throw.BadFile(source.Path, $"its file {Quoted.Of(file.Name)} is not the one that the recipe was made with (SHA-256 {file.Sha256}): its own SHA-256 is {mine.Sha256}; give that model");
        }
        if (files.FirstOrDefault(f => Inputs.All(i => i.Name != f.Name)) is { } extra)
            Throw.BadFile(source.Path, $"has a file {Quoted.Of(extra.Name)}, which the model that the recipe was made with has not; give that model, or move the file away");
    }

    /// <summary>
    /// How a model differs from the one that this makes: in words that follow its name, such as <c>tensor 'output.weight' is …</c>;
    /// <see langword="null"/> where it is the same, byte for byte.
    /// </summary>
    /// <exception cref="NibbleException">It cannot be read.</exception>
    public string? Compare(string path, Action<long>? bytesRead = null, CancellationToken cancellationToken = default)
    {
        using ModelFile file = ModelFile.Open(path);
        HashedFile[] files = Hash(file.Files, bytesRead, cancellationToken);
        if (files.Select(f => f.Sha256).SequenceEqual(Outputs.Select(o => o.Sha256))) return null;
        foreach (RecipeTensor expected in Tensors)
        {
            string tensor = $"tensor {Quoted.Of(expected.Name)}";
            if (file.Find(expected.Name) is not { } actual) return $"{tensor} is missing";
            if (actual.Format != expected.Format) return $"{tensor} is {actual.TypeName} and should be {expected.Format}";
            if (HashedFile.Of(file, actual, bytesRead: null, cancellationToken) != expected.Sha256) return $"{tensor} has other values";
        }
        HashSet<string> known = [.. Tensors.Select(t => t.Name)];
        if (file.Tensors.FirstOrDefault(t => !known.Contains(t.Name)) is { } extra) return $"tensor {Quoted.Of(extra.Name)} should not be there";
        if (files.Length != Outputs.Count) return $"its tensors are the same, but in {Count(files.Length)} instead of {Count(Outputs.Count)}";
        return "its tensors are the same, but its metadata or their order is not";
    }

    private static string Count(int files) => files == 1 ? "one file" : $"{files} files";

    private static HashedFile[] Hash(IReadOnlyList<string> paths, Action<long>? bytesRead, CancellationToken cancellationToken)
    {
        HashedFile[] files = new HashedFile[paths.Count];
        Parallel.For(0, files.Length, Parallelism(cancellationToken), i => files[i] = HashedFile.Of(paths[i], bytesRead, cancellationToken));
        return files;
    }

    private static ParallelOptions Parallelism(CancellationToken cancellationToken) => new() { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancellationToken };
}
