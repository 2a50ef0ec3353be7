using System.Globalization;
using Nibble.Files;
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
/// <param name="Metadata">The metadata of the new file.</param>
/// <param name="Tensors">The tensors in the order of the new file: those outside the layers first, then layer by layer, by name.</param>
public sealed record QuantizationPlan(Recipe Recipe, Metadata Metadata, IReadOnlyList<PlannedTensor> Tensors)
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
    /// <param name="hasImportance">Whether an importance matrix will be used; some rules ask.</param>
    /// <param name="allowRequantize">Whether tensors that are quantized already may be quantized again, which loses more than starting from the original.</param>
    /// <exception cref="NibbleException">The model is quantized already, or a tensor's type cannot be read.</exception>
    public static QuantizationPlan Create(ModelFile file, Recipe recipe, bool hasImportance = false, bool allowRequantize = false)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(recipe);
        if (file.Tensors.Count == 0) Throw.BadFile(file.Path, "holds no tensors, so there is nothing to quantize");

        TensorInfo[] tensors = file.Tensors.OrderBy(t => LayerOf(t.Name)).ThenBy(t => t.Name, StringComparer.Ordinal).ToArray();
        bool isTied = !tensors.Any(t => t.Name == "output.weight");
        string architecture = file.Metadata.String("general.architecture") ?? "";
        int layers = Count("block_count"), heads = Count("attention.head_count"), keyHeads = Count("attention.head_count_kv");
        int experts = Count("expert_count");
        int values = tensors.Count(t => IsValue(TensorRoles.Of(t.Name)));
        int valuesSeen = 0, downsSeen = 0;

        PlannedTensor[] planned = Array.ConvertAll(tensors, Plan);
        Metadata metadata = file.Metadata.Clone();
        foreach (string key in new[] { "split.no", "split.count", "split.tensors.count" }) metadata.Remove(key);
        metadata["general.file_type"] = MetadataValue.Of((uint)recipe.FileType);
        metadata["general.quantization_version"] = MetadataValue.Of(FormatsVersion);
        return new QuantizationPlan(recipe, metadata, planned);

        int Count(string name) => file.Metadata.TryGet($"{architecture}.{name}", out MetadataValue? value) && value.Type != MetadataType.Array
            ? (int)Math.Clamp(file.Metadata.Integer($"{architecture}.{name}") ?? 0, 0, int.MaxValue)
            : 0;

        PlannedTensor Plan(TensorInfo tensor)
        {
            WeightFormat target = Choose(tensor);
            if (target != tensor.Format)
            {
                if (tensor.Format is null) Throw.BadFile(file.Path, $"tensor '{tensor.Name}' has type {tensor.TypeName}, which cannot be converted");
                if (tensor.Format.BlockSize > 1 && !allowRequantize)
                    Throw.BadFile(file.Path, $"tensor '{tensor.Name}' is quantized already ({tensor.Format}); quantizing it again loses more than starting from the original model. Start from that, or allow it with --allow-requantize");
            }
            return new PlannedTensor(tensor, tensor with { TypeName = target.Name, Format = target, Bytes = target.ByteSize(tensor.Count) });
        }

        WeightFormat Choose(TensorInfo tensor)
        {
            if (!TensorRoles.IsQuantized(tensor.Name, tensor.Dimensions.Count))
            {
                // Norms and biases are small and multiply everything: they stay, in single precision.
                if (tensor.Dimensions.Count == 1 && tensor.Format?.BlockSize == 1) return WeightFormat.Of<F32>();
                return tensor.Format ?? Throw.BadFile<WeightFormat>(file.Path, $"tensor '{tensor.Name}' has type {tensor.TypeName}, which a GGUF file cannot hold");
            }
            TensorRole role = TensorRoles.Of(tensor.Name);
            if (role == TensorRole.TokenEmbedding && isTied) role = TensorRole.Output;
            int seen = IsValue(role) ? valuesSeen++ : role == TensorRole.FeedForwardDown ? downsSeen++ : 0;
            // Experts are tensors of their own in some models, so there the name tells the layer.
            int index = experts > 1 && role == TensorRole.FeedForwardDown ? LayerOf(tensor.Name) : seen;
            TensorPlace place = new(index, IsValue(role) ? values : layers, keyHeads > 0 ? heads / keyHeads : 1, experts,
                Is70B: layers == 80 && heads != keyHeads && architecture is "llama" or "qwen2", hasImportance);
            return Recipe.FitToRow(recipe.Choose(role, place), tensor.Columns);
        }
    }

    private static bool IsValue(TensorRole role) => role is TensorRole.AttentionValue or TensorRole.AttentionQkv or TensorRole.AttentionKvB;

    /// <summary>3 of <c>blk.3.attn_q.weight</c>, or -1 of a tensor outside the layers.</summary>
    private static int LayerOf(string name)
    {
        if (!name.StartsWith("blk.", StringComparison.Ordinal)) return -1;
        int end = name.IndexOf('.', 4);
        return end > 4 && int.TryParse(name.AsSpan(4, end - 4), NumberStyles.None, CultureInfo.InvariantCulture, out int layer) ? layer : -1;
    }
}
