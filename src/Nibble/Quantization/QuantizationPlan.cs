using System.Globalization;
using Nibble.Files;
using Nibble.Files.Gguf;
using Nibble.Formats;

namespace Nibble.Quantization;

/// <summary>One tensor of a plan: as it is, and as it will be.</summary>
public sealed record PlannedTensor(TensorInfo Source, TensorInfo Target)
{
    /// <summary>The format that was wanted, but of which the rows do not fill whole blocks; <see langword="null"/> where they do.</summary>
    public WeightFormat? InsteadOf { get; init; }

    /// <summary>Whether its bytes change.</summary>
    public bool IsConverted => Source.Format != Target.Format;

    /// <summary>The part of the new file that it goes to, from 0, where the parts of the source are kept.</summary>
    public int Part { get; init; }
}

/// <summary>Which format every tensor of a model gets under a recipe, before anything is written.</summary>
/// <param name="Recipe">The recipe.</param>
/// <param name="Options">What was asked for beside it.</param>
/// <param name="Metadata">The metadata of the new file.</param>
/// <param name="Tensors">The tensors in the order of the new file: those outside the layers first, then layer by layer, by name; where parts are kept, as they are.</param>
public sealed record QuantizationPlan(Recipe Recipe, QuantizationOptions Options, Metadata Metadata, IReadOnlyList<PlannedTensor> Tensors)
{
    /// <summary>The version of the quantized formats, which GGUF records.</summary>
    private const uint FormatsVersion = 2;

    private const string VersionKey = "general.quantization_version", FileTypeKey = "general.file_type";

    /// <summary>Bytes of all tensors before.</summary>
    public long SourceBytes => Tensors.Sum(t => t.Source.Bytes);

    /// <summary>Bytes of all tensors after.</summary>
    public long TargetBytes => Tensors.Sum(t => t.Target.Bytes);

    /// <summary>Tensors whose rows do not fill whole blocks of the format that was wanted, so that they got another.</summary>
    public int Fallbacks => Tensors.Count(t => t.InsteadOf is not null);

    /// <summary>Rules of which the expression finds no tensor that can have another type: most likely misspelt.</summary>
    public IReadOnlyList<TensorRule> UnmatchedRules { get; init; } = [];

    /// <summary>Average over all weights.</summary>
    public double BitsPerWeight => 8.0 * TargetBytes / Tensors.Sum(t => t.Target.Count);

    /// <summary>The files that this plan writes.</summary>
    /// <param name="target">The name of the one file, or what the parts are called after.</param>
    /// <exception cref="NibbleException">There would be more parts than a file can count, or GGUF cannot hold a tensor.</exception>
    public IReadOnlyList<GgufOutput> Files(string target)
    {
        IReadOnlyList<GgufOutput> files = FilesOf(target);
        foreach (GgufOutput file in files) file.Check();
        return files;
    }

    private IReadOnlyList<GgufOutput> FilesOf(string target)
    {
        TensorInfo[] tensors = [.. Tensors.Select(t => t.Target)];
        if (Options.Split is not { } split) return [GgufSplit.Whole(target, Metadata, tensors)];
        if (!split.Keep) return GgufSplit.Cut(target, Metadata, tensors, split);
        int parts = Tensors.Max(t => t.Part) + 1;
        return GgufSplit.Parts(target, Metadata, [.. Enumerable.Range(0, parts).Select(part => (TensorInfo[])[.. Tensors.Where(t => t.Part == part).Select(t => t.Target)])]);
    }

    /// <param name="file">The model.</param>
    /// <param name="recipe">What to make of it.</param>
    /// <param name="options">What is asked for beside it; <see langword="null"/> for nothing.</param>
    /// <exception cref="NibbleException">The model is quantized already, a tensor's type cannot be read, or a format needs an importance matrix.</exception>
    public static QuantizationPlan Create(ModelFile file, Recipe recipe, QuantizationOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(recipe);
        options ??= QuantizationOptions.Default;
        if (file.Tensors.Count == 0) Throw.BadFile(file.Path, "holds no tensors, so there is nothing to quantize");

        if (options.Split is { Keep: true, MaxBytes: not null } or { Keep: true, MaxTensors: not null }) Throw.BadInput("parts are either kept as they are or cut anew; give --keep-split alone, or a limit without it");
        if (options.Split is { MaxBytes: <= 0 } or { MaxTensors: <= 0 }) Throw.BadInput("a part of no size can hold nothing; give a larger limit");
        GgufFile? parts = options.Split is { Keep: true } ? file as GgufFile : null;
        if (options.Split is { Keep: true } && parts is not { Files.Count: > 1 })
            Throw.BadFile(file.Path, "is no GGUF file in several parts, so there are none to keep; for parts of a size give --split-max-size instead of --keep-split");

        TensorChooser chooser = new(file, recipe, options);
        if (chooser.Layers > 0)
            foreach (TensorRule rule in options.Rules) rule.CheckLayers(chooser.Layers);
        List<PlannedTensor> planned = [];
        int layers = chooser.Layers, kept = layers - options.PrunedLayers.Count(layer => layer < layers);
        foreach (TensorInfo source in InOrder(file))
        {
            int layer = LayerOf(source.Name);
            if (layer >= 0 && options.PrunedLayers.Contains(layer)) continue;
            (WeightFormat target, WeightFormat? insteadOf) = chooser.Choose(source);
            Check(source, target);
            string name = layer < 0 ? source.Name : Renumber(source.Name, layer - options.PrunedLayers.Count(pruned => pruned < layer));
            planned.Add(new(source, source with { Name = name, TypeName = target.Name, Format = target, Bytes = target.TensorBytes(source.Count) }) { InsteadOf = insteadOf, Part = parts?.PartOf(source) ?? 0 });
        }
        if (parts is not null) planned = KeepParts(planned, parts);
        Metadata metadata = file.Metadata.Clone();
        EvaluationKeys.Remove(metadata); // what was measured was another model
        // Removed first, so that they come last and in this order, as llama.cpp writes them: then whole files are the same.
        foreach (string key in new[] { GgufSplit.PartKey, GgufSplit.PartCountKey, GgufSplit.TensorCountKey, VersionKey, FileTypeKey, I2_STensors.LayoutKey }) metadata.Remove(key);
        if (planned.Exists(t => I2_STensors.Is(t.Target))) metadata[I2_STensors.LayoutKey] = MetadataValue.Of(I2_SLayout.X86.Name);
        metadata[VersionKey] = MetadataValue.Of(FormatsVersion);
        metadata[FileTypeKey] = MetadataValue.Of((uint)recipe.FileType);
        if (options.PrunedLayers.Count > 0)
        {
            if (options.PrunedLayers.Max() >= layers || kept < 1) Throw.BadInput($"layers {string.Join(", ", options.PrunedLayers.Order())} cannot be left out of {layers}; they count from 0, and one must stay");
            PruneMetadata(metadata, options.PrunedLayers, layers, kept);
        }
        foreach ((string key, MetadataValue value) in options.Metadata) metadata[key] = value;
        string[] names = [.. planned.Where(t => TensorRoles.IsQuantized(t.Source.Name, t.Source.Dimensions.Count)).Select(t => t.Source.Name)];
        return new QuantizationPlan(recipe, options, metadata, planned) { UnmatchedRules = [.. options.Rules.Where(rule => rule.FindsNone(names))] };

        void Check(TensorInfo tensor, WeightFormat target)
        {
            if (target == tensor.Format) return;
            if (tensor.Format is null) Throw.BadFile(file.Path, $"tensor '{tensor.Name}' has type {tensor.TypeName}, which cannot be converted");
            if (tensor.Format.BlockSize > 1 && !options.AllowRequantize)
                Throw.BadFile(file.Path, $"tensor '{tensor.Name}' is quantized already ({tensor.Format}); quantizing it again loses more than starting from the original model. Start from that, or allow it with --allow-requantize");
            // What the format itself can do without, the recipe asks for in the layers alone: nobody collects it for the embedding.
            bool needsImportance = target.NeedsImportance || (recipe.NeedsImportance && target == recipe.Format && tensor.Name is not ("output.weight" or "token_embd.weight"));
            if (needsImportance && options.Importance?.ContainsKey(tensor.Name) != true)
                Throw.BadInput($"{recipe.Name} stores tensor '{tensor.Name}' as {target}, which needs an importance matrix{(options.Importance is null ? "" : ", and the one given has none for it")}; make one with nibble imatrix and give it with --imatrix, or collect it on a text with --calibrate");
        }
    }

    /// <summary>The tensors in the order of the source; a part that has lost all of its tensors is left out, but for the first, which has the metadata.</summary>
    private static List<PlannedTensor> KeepParts(List<PlannedTensor> planned, GgufFile source)
    {
        Dictionary<string, int> places = source.Tensors.Index().ToDictionary(t => t.Item.Name, t => t.Index, StringComparer.Ordinal);
        int[] numbers = [0, .. planned.Select(t => t.Part).Where(part => part > 0).Distinct().Order()];
        return [.. planned.OrderBy(t => places[t.Source.Name]).Select(t => t with { Part = Array.IndexOf(numbers, t.Part) })];
    }

    /// <summary>Takes layers out of what the metadata says of all layers.</summary>
    private static void PruneMetadata(Metadata metadata, IReadOnlySet<int> pruned, int layers, int kept)
    {
        string architecture = $"{metadata.String("general.architecture")}.", dense = architecture + "leading_dense_block_count";
        foreach ((string key, MetadataValue value) in metadata.ToArray())
        {
            // Numbers with one entry for each layer; the sections of RoPE are some numbers that a small model may have as many layers as.
            if (key.StartsWith(architecture, StringComparison.Ordinal) && value.Type == MetadataType.Array && value.Count == layers
                && MetadataValue.SizeOf(value.ElementType) > 0 && !key.EndsWith(".dimension_sections", StringComparison.Ordinal))
            {
                metadata[key] = value.Without(pruned);
            }
        }
        if (metadata.Integer(dense) is { } count) metadata[dense] = MetadataValue.Of((uint)(count - pruned.Count(layer => layer < count)));
        metadata[architecture + "block_count"] = MetadataValue.Of((uint)kept);
    }

    /// <summary>The tensors in the order of a plan, which is that of llama.cpp.</summary>
    internal static IEnumerable<TensorInfo> InOrder(ModelFile file) => file.Tensors.OrderBy(t => LayerOf(t.Name)).ThenBy(t => t.Name, StringComparer.Ordinal);

    /// <summary>3 of <c>blk.3.attn_q.weight</c>, or -1 of a tensor outside the layers.</summary>
    internal static int LayerOf(string name)
    {
        if (!name.StartsWith("blk.", StringComparison.Ordinal)) return -1;
        int end = name.IndexOf('.', 4);
        return end > 4 && int.TryParse(name.AsSpan(4, end - 4), NumberStyles.None, CultureInfo.InvariantCulture, out int layer) ? layer : -1;
    }

    private static string Renumber(string name, int layer) =>
        string.Create(CultureInfo.InvariantCulture, $"blk.{layer}{name[name.IndexOf('.', 4)..]}");
}
