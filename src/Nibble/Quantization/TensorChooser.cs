using Nibble.Files;
using Nibble.Formats;

namespace Nibble.Quantization;

/// <summary>
/// Chooses the format of one tensor after the other, in the order of a plan: what the user asked for first, then the recipe's rules, then a
/// format with smaller blocks where the row asks for one. The order matters, since rules count the tensors of a role that came before.
/// </summary>
internal sealed class TensorChooser
{
    private readonly ModelFile _file;
    private readonly Recipe _recipe;
    private readonly QuantizationOptions _options;
    private readonly string _architecture;
    private readonly bool _isTied;
    private readonly int _heads, _keyHeads, _experts, _values;
    private readonly Dictionary<TensorRole, int> _seen = [];

    public TensorChooser(ModelFile file, Recipe recipe, QuantizationOptions options)
    {
        _file = file;
        _recipe = recipe;
        _options = options;
        _architecture = file.Metadata.String("general.architecture") ?? "";
        _isTied = file.Find("output.weight") is null;
        Layers = Count("block_count");
        _heads = Count("attention.head_count");
        _keyHeads = Count("attention.head_count_kv");
        _experts = Count("expert_count");
        _values = file.Tensors.Count(t => IsValue(TensorRoles.Of(t.Name)) && !options.PrunedLayers.Contains(QuantizationPlan.LayerOf(t.Name)));
    }

    /// <summary>Layers of the model.</summary>
    public int Layers { get; }

    /// <exception cref="NibbleException">GGUF cannot hold the tensor, or the format needs an importance matrix that is not there.</exception>
    public WeightFormat Choose(TensorInfo tensor)
    {
        if (!TensorRoles.IsQuantized(tensor.Name, tensor.Dimensions.Count) || (_options.LeaveOutput && tensor.Name == "output.weight"))
        {
            // Norms and biases are small and multiply everything: they stay, in single precision.
            if (tensor.Dimensions.Count == 1 && tensor.Format?.BlockSize == 1) return WeightFormat.Of<F32>();
            return tensor.Format ?? Throw.BadFile<WeightFormat>(_file.Path, $"tensor '{tensor.Name}' has type {tensor.TypeName}, which a GGUF file cannot hold");
        }
        TensorRole role = TensorRoles.Of(tensor.Name);
        if (role == TensorRole.TokenEmbedding && _options.TokenEmbeddingFormat is { } embedding) return Fit(embedding, tensor);
        if (role == TensorRole.Output && _options.OutputFormat is { } output) return Fit(output, tensor);
        if (role == TensorRole.TokenEmbedding && _isTied) role = TensorRole.Output;

        int layer = QuantizationPlan.LayerOf(tensor.Name);
        TensorRole counted = IsValue(role) ? TensorRole.AttentionValue : role;
        int seen = _seen[counted] = _seen.GetValueOrDefault(counted, -1) + 1;
        // Experts are tensors of their own in some models, so there the name tells the layer.
        int index = _experts > 1 && !IsValue(role) ? layer : seen;
        TensorPlace place = new(index, IsValue(role) ? _values : Layers, _keyHeads > 0 ? _heads / _keyHeads : 1, _experts, IsExperts: tensor.Dimensions.Count > 2 && tensor.Dimensions[2] > 1,
            Is70B: Layers == 80 && _heads != _keyHeads && _architecture is "llama" or "qwen2", _options.Importance is not null);
        WeightFormat? asked = _options.Rules.Select(rule => rule.Choose(tensor.Name, layer, Layers, role, place)).FirstOrDefault(format => format is not null);
        return Fit(asked ?? (_options.Pure ? _recipe.Format : ByRecipe(role, place, tensor)), tensor);
    }

    /// <summary>An output whose rows do not fit the recipe's blocks gets 8 bits, not the smaller blocks that others get.</summary>
    private WeightFormat ByRecipe(TensorRole role, TensorPlace place, TensorInfo tensor) =>
        role == TensorRole.Output && tensor.Columns % _recipe.Format.BlockSize != 0 ? WeightFormat.Of<Q8_0>() : _recipe.Choose(role, place);

    private static WeightFormat Fit(WeightFormat format, TensorInfo tensor) => Recipe.FitToRow(format, tensor.Columns);

    private static bool IsValue(TensorRole role) => role is TensorRole.AttentionValue or TensorRole.AttentionQkv or TensorRole.AttentionKvB;

    private int Count(string name) => _file.Metadata.TryGet($"{_architecture}.{name}", out MetadataValue? value) && value.Type != MetadataType.Array
        ? (int)Math.Clamp(_file.Metadata.Integer($"{_architecture}.{name}") ?? 0, 0, int.MaxValue)
        : 0;
}
