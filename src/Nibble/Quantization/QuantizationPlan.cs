using System.Globalization;
using Nibble.Files;
using Nibble.Files.Gguf;
using Nibble.Formats;

namespace Nibble.Quantization;

/// <summary>One tensor of a plan: as it is, and as it will be.</summary>
public sealed record PlannedTensor(TensorInfo Source, TensorInfo Target)
{
    /// <summary>Whether its bytes change.</summary>
    public bool IsConverted => Source.Format != Target.Format;
}

/// <summary>Which format every tensor of a model gets under a recipe, before anything is written.</summary>
/// <param name="Recipe">The recipe.</param>
/// <param name="Options">What was asked for beside it.</param>
/// <param name="Metadata">The metadata of the new file.</param>
/// <param name="Tensors">The tensors in the order of the new file: those outside the layers first, then layer by layer, by name.</param>
public sealed record QuantizationPlan(Recipe Recipe, QuantizationOptions Options, Metadata Metadata, IReadOnlyList<PlannedTensor> Tensors)
{
    /// <summary>The version of the quantized formats, which GGUF records.</summary>
    private const uint FormatsVersion = 2;

    /// <summary>Bytes of all tensors before.</summary>
    public long SourceBytes => Tensors.Sum(t => t.Source.Bytes);

    /// <summary>Bytes of all tensors after.</summary>
    public long TargetBytes => Tensors.Sum(t => t.Target.Bytes);

    /// <summary>Average over all weights.</summary>
    public double BitsPerWeight => 8.0 * TargetBytes / Tensors.Sum(t => t.Target.Count);

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

        TensorChooser chooser = new(file, recipe, options);
        List<PlannedTensor> planned = [];
        int layers = chooser.Layers, kept = layers - options.PrunedLayers.Count(layer => layer < layers);
        foreach (TensorInfo source in InOrder(file))
        {
            int layer = LayerOf(source.Name);
            if (layer >= 0 && options.PrunedLayers.Contains(layer)) continue;
            WeightFormat target = chooser.Choose(source);
            Check(source, target);
            string name = layer < 0 ? source.Name : Renumber(source.Name, layer - options.PrunedLayers.Count(pruned => pruned < layer));
            planned.Add(new(source, source with { Name = name, TypeName = target.Name, Format = target, Bytes = target.TensorBytes(source.Count) }));
        }
        Metadata metadata = file.Metadata.Clone();
        foreach (string key in new[] { "split.no", "split.count", "split.tensors.count" }) metadata.Remove(key);
        metadata["general.file_type"] = MetadataValue.Of((uint)recipe.FileType);
        metadata["general.quantization_version"] = MetadataValue.Of(FormatsVersion);
        metadata.Remove(I2_STensors.LayoutKey);
        if (planned.Exists(t => I2_STensors.Is(t.Target))) metadata[I2_STensors.LayoutKey] = MetadataValue.Of(I2_SLayout.X86.Name);
        if (options.PrunedLayers.Count > 0)
        {
            if (options.PrunedLayers.Max() >= layers || kept < 1) Throw.BadInput($"layers {string.Join(", ", options.PrunedLayers.Order())} cannot be left out of {layers}; they count from 0, and one must stay");
            metadata[$"{file.Metadata.String("general.architecture")}.block_count"] = MetadataValue.Of((uint)kept);
        }
        foreach ((string key, MetadataValue value) in options.Metadata) metadata[key] = value;
        return new QuantizationPlan(recipe, options, metadata, planned);

        void Check(TensorInfo tensor, WeightFormat target)
        {
            if (target == tensor.Format) return;
            if (tensor.Format is null) Throw.BadFile(file.Path, $"tensor '{tensor.Name}' has type {tensor.TypeName}, which cannot be converted");
            if (tensor.Format.BlockSize > 1 && !options.AllowRequantize)
                Throw.BadFile(file.Path, $"tensor '{tensor.Name}' is quantized already ({tensor.Format}); quantizing it again loses more than starting from the original model. Start from that, or allow it with --allow-requantize");
            // What the format itself can do without, the recipe asks for in the layers alone: nobody collects it for the embedding.
            bool needsImportance = target.NeedsImportance || (recipe.NeedsImportance && target == recipe.Format && tensor.Name is not ("output.weight" or "token_embd.weight"));
            if (needsImportance && options.Importance?.ContainsKey(tensor.Name) != true)
                Throw.BadInput($"{recipe.Name} stores tensor '{tensor.Name}' as {target}, which needs an importance matrix{(options.Importance is null ? "" : ", and the one given has none for it")}; make one with nibble imatrix and give it with --imatrix");
        }
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
