using Nibble.Files;
using Nibble.Files.Gguf;
using Nibble.Formats;

namespace Nibble.Quantization;

/// <summary>What may be asked for beside a recipe. Names are those of llama-quantize.</summary>
public sealed record QuantizationOptions
{
    public static QuantizationOptions Default { get; } = new();

    /// <summary>Whether tensors that are quantized already may be quantized again, which loses more than starting from the original.</summary>
    public bool AllowRequantize { get; init; }

    /// <summary>Whether values that are no finite numbers, or too large for their new format, are let through.</summary>
    public bool AllowNan { get; init; }

    /// <summary>Whether the result is read back and compared with the source, which takes some time.</summary>
    public bool Check { get; init; } = true;

    /// <summary>The largest relative error (see <see cref="TensorError.Relative"/>) that a tensor may have; beyond it no file is written. It needs <see cref="Check"/>.</summary>
    public double? MaxError { get; init; }

    /// <summary>Give every matrix the recipe's main format.</summary>
    public bool Pure { get; init; }

    /// <summary>Leave <c>output.weight</c> as it is.</summary>
    public bool LeaveOutput { get; init; }

    /// <summary>The format of <c>output.weight</c>, whatever the recipe says.</summary>
    public WeightFormat? OutputFormat { get; init; }

    /// <summary>The format of the token embedding, whatever the recipe says.</summary>
    public WeightFormat? TokenEmbeddingFormat { get; init; }

    /// <summary>Formats for tensors by name or layer; the first rule that fits decides.</summary>
    public IReadOnlyList<TensorRule> Rules { get; init; } = [];

    /// <summary>The format of every tensor by its name in the source; where it is given, nothing else decides. See <see cref="Recipes.RecipeFile"/>.</summary>
    public IReadOnlyDictionary<string, WeightFormat>? Formats { get; init; }

    /// <summary>Layers to leave out; those behind them move up.</summary>
    public IReadOnlySet<int> PrunedLayers { get; init; } = new HashSet<int>();

    /// <summary>How the result is spread over several files; <see langword="null"/> for one.</summary>
    public SplitOptions? Split { get; init; }

    /// <summary>Metadata to set in the new file.</summary>
    public IReadOnlyList<KeyValuePair<string, MetadataValue>> Metadata { get; init; } = [];

    /// <summary>
    /// For tensors by name, how much each column matters, <c>[columns]</c> (for experts <c>[experts * columns]</c>); tensors without are
    /// quantized as if all columns did equally. Some recipes need it, and some choose other formats where it is there.
    /// </summary>
    public IReadOnlyDictionary<string, float[]>? Importance { get; init; }
}
