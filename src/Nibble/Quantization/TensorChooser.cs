using Nibble.Files;
using Nibble.Formats;

namespace Nibble.Quantization;

/// <summary>The format of a tensor.</summary>
/// <param name="Format">The format.</param>
/// <param name="InsteadOf">The format that it stands in for, of which the tensor's rows do not fill whole blocks; <see langword="null"/> where they do.</param>
internal readonly record struct TensorChoice(WeightFormat Format, WeightFormat? InsteadOf = null);

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
    private readonly bool _isTied, _is70B;
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
        _keyHeads = file.Metadata.Contains($"{_architecture}.attention.head_count_kv") ? Count("attention.head_count_kv") : _heads;
        _experts = Count("expert_count");
        _values = file.Tensors.Count(t => IsValue(TensorRoles.Of(t.Name)) && !options.PrunedLayers.Contains(QuantizationPlan.LayerOf(t.Name)));
        _is70B = _experts != 8 && (_architecture, Layers) is ("llama" or "qwen2" or "deci" or "olmo" or "olmoe", 80) or ("jais2", 68)
            && !(_architecture == "llama" && _heads == _keyHeads); // that is Llama 1 with 65 billion
    }

    /// <summary>Layers of the model.</summary>
    public int Layers { get; }

    /// <exception cref="NibbleException">GGUF cannot hold the tensor.</exception>
    public TensorChoice Choose(TensorInfo tensor)
    {
        if (_options.Formats is { } formats)
            return new(formats.GetValueOrDefault(tensor.Name) ?? Throw.BadFile<WeightFormat>(_file.Path, $"tensor {Quoted.Of(tensor.Name)} is none that the recipe has; it was made with another model"));
        if (!TensorRoles.IsQuantized(tensor.Name, tensor.Dimensions.Count) || (_options.LeaveOutput && tensor.Name == "output.weight"))
        {
            // Norms and biases are small and multiply everything: they stay, in single precision.
            if (tensor.Dimensions.Count == 1 && tensor.Format?.BlockSize == 1) return new(WeightFormat.Of<F32>());
            return new(tensor.Format ?? Throw.BadFile<WeightFormat>(_file.Path, $"tensor '{tensor.Name}' has type {tensor.TypeName}, which a GGUF file cannot hold"));
        }
        TensorRole role = TensorRoles.Of(tensor.Name);
        if (role == TensorRole.TokenEmbedding && _options.TokenEmbeddingFormat is { } embedding) return Fit(embedding, tensor);
        if (role == TensorRole.Output && _options.OutputFormat is { } output) return Fit(output, tensor);
        if (role == TensorRole.TokenEmbedding && _isTied) role = TensorRole.Output;

        int layer = QuantizationPlan.LayerOf(tensor.Name);
        TensorRole counted = IsValue(role) ? TensorRole.AttentionValue : role;
        TensorPlace place = new(_seen.GetValueOrDefault(counted), IsValue(role) ? _values : Layers, _keyHeads > 0 ? _heads / _keyHeads : 0, _experts,
            IsExperts: tensor.Dimensions.Count > 2 && tensor.Dimensions[2] > 1, _is70B, _options.Importance is not null)
        {
            Layer = layer,
            IsFalcon = _architecture == "falcon",
        };
        (WeightFormat? asked, bool isCounted) = Asked(tensor, layer, role, place);
        if (isCounted) _seen[counted] = place.Index + 1;
        return Fit(asked ?? ByRecipe(role, place, tensor), tensor);
    }

    /// <summary>
    /// What a rule or option says of a tensor, and whether the rules of recipes count it among those of its role: one whose format is named
    /// outright by its name, or by <c>--pure</c>, they do not, as in llama.cpp.
    /// </summary>
    private (WeightFormat? Format, bool IsCounted) Asked(TensorInfo tensor, int layer, TensorRole role, TensorPlace place)
    {
        foreach (TensorRule rule in _options.Rules)
            if (rule.Choose(tensor.Name, layer, Layers, role, place) is { } format) return (format, !rule.NamesFormatByName);
        if (_options.Pure) return (_recipe.PureFormat, false);
        return (role == TensorRole.Output ? _options.OutputFormat : null, true); // an embedding that is the output too
    }

    /// <summary>An output whose rows do not fit the recipe's blocks gets 8 bits, not the smaller blocks that others get.</summary>
    private WeightFormat ByRecipe(TensorRole role, TensorPlace place, TensorInfo tensor) =>
        role == TensorRole.Output && tensor.Columns % _recipe.Format.BlockSize != 0 ? WeightFormat.Of<Q8_0>() : _recipe.Choose(role, place);

    private static TensorChoice Fit(WeightFormat format, TensorInfo tensor) =>
        Recipe.FitToRow(format, tensor.Columns) is var fitting && fitting == format ? new(format) : new(fitting, format);

    private static bool IsValue(TensorRole role) => role is TensorRole.AttentionValue or TensorRole.AttentionQkv or TensorRole.AttentionKvB;

    /// <summary>A number of the model; of one that differs by layer, that of the first.</summary>
    private int Count(string name)
    {
        string key = $"{_architecture}.{name}";
        if (!_file.Metadata.TryGet(key, out MetadataValue? value)) return 0;
        long number = value.Type == MetadataType.Array ? _file.Metadata.Integers(key)!.FirstOrDefault() : _file.Metadata.Integer(key) ?? 0;
        return (int)Math.Clamp(number, 0, int.MaxValue);
    }
}
