using System.Diagnostics.CodeAnalysis;
using Nibble.Formats;

namespace Nibble.Quantization;

/// <summary>Where a tensor stands in its model: what the layer-dependent rules of recipes look at.</summary>
/// <param name="Index">How many tensors of the same role came before it.</param>
/// <param name="Count">Tensors of that role.</param>
/// <param name="HeadsPerKey">Query heads that share one key/value head.</param>
/// <param name="Experts">Experts of a mixture, or 0.</param>
/// <param name="IsExperts">Whether it holds a matrix for each expert.</param>
/// <param name="Is70B">Whether this is a model of the kind and size of Llama 2 70B.</param>
/// <param name="HasImportance">Whether an importance matrix is used.</param>
public readonly record struct TensorPlace(int Index, int Count, int HeadsPerKey, int Experts, bool IsExperts, bool Is70B, bool HasImportance)
{
    /// <summary>Its layer, or -1 where it is in none.</summary>
    public int Layer { get; init; }

    /// <summary>Whether the model is a Falcon, for which some recipes have rules of their own.</summary>
    public bool IsFalcon { get; init; }

    /// <summary>
    /// The place among the feed-forward matrices: in a mixture the layer, since there a layer has several of one role.
    /// </summary>
    internal TensorPlace ByLayer => Experts > 1 ? this with { Index = Layer } : this;

    /// <summary>The first eighth, the last eighth and every third layer between: those that lose most.</summary>
    public bool IsSensitive => IsFirstEighth || IsLastEighth || (Index - Count / 8) % 3 == 2;

    public bool IsFirstEighth => Index < Count / 8;

    public bool IsLastEighth => Index >= 7 * Count / 8;

    public bool IsFirstSixteenth => Index < Count / 16;
}

/// <summary>
/// A mixture of formats under one name, such as Q4_K_M: the format most matrices get, and those that matter more.
/// The rules are llama.cpp's, so that a name means the same file everywhere.
/// </summary>
/// <param name="Name">The name as llama.cpp spells it.</param>
/// <param name="FileType">GGUF's number for it (<c>general.file_type</c>).</param>
/// <param name="Format">The format of matrices that no rule names.</param>
public sealed partial record Recipe(string Name, int FileType, WeightFormat Format)
{
    /// <summary>Other names that llama.cpp takes.</summary>
    private static readonly Dictionary<string, string> s_aliases = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Q3_K"] = "Q3_K_M",
        ["Q4_K"] = "Q4_K_M",
        ["Q5_K"] = "Q5_K_M",
    };

    /// <summary>The names of all recipes, for messages.</summary>
    public static string Names => string.Join(", ", All.Select(r => r.Name));

    /// <summary>What <see cref="QuantizationOptions.Pure"/> gives every matrix.</summary>
    internal WeightFormat PureFormat => Experts ?? Format;

    /// <summary>Whether this recipe only stores numbers with fewer bits each, without blocks that share scales.</summary>
    public bool IsPlain => Format.BlockSize == 1;

    // The rules. A rule that gives null leaves the choice to Format.

    /// <summary>The value projection, also where it is one matrix with query and key.</summary>
    private Func<TensorPlace, WeightFormat?>? AttentionValue { get; init; }

    /// <summary>The query and the key projection.</summary>
    private WeightFormat? AttentionQueryAndKey { get; init; }

    private Func<TensorPlace, WeightFormat?>? AttentionOutput { get; init; }

    /// <summary>The attention output of a Falcon, which has none of the other rules.</summary>
    private WeightFormat? FalconAttentionOutput { get; init; }

    /// <summary>The feed-forward's last matrix.</summary>
    private Func<TensorPlace, WeightFormat?>? Down { get; init; }

    /// <summary>The feed-forward's first two matrices.</summary>
    private Func<TensorPlace, WeightFormat?>? GateAndUp { get; init; }

    /// <summary>The token embedding, where it is not the output too.</summary>
    private WeightFormat? Embedding { get; init; }

    /// <summary>The output, where it is not Q6_K.</summary>
    private WeightFormat? Output { get; init; }

    /// <summary>Matrices of experts, which are one tensor of three dimensions; all others get <see cref="Format"/>.</summary>
    private WeightFormat? Experts { get; init; }

    /// <summary>Whether a mixture of eight experts gets a better attention output.</summary>
    private bool KeepsOutputOfEightExperts { get; init; }

    /// <summary>Whether the formats are of one and two bits, where a mixture of eight experts gets Q4_K for keys and values instead of Q8_0.</summary>
    private bool IsVeryLow { get; init; }

    /// <summary>Whether its main format can be made only with an importance matrix, or should be.</summary>
    public bool NeedsImportance { get; private init; }

    /// <summary>The recipe called <paramref name="name"/>; upper and lower case are the same.</summary>
    public static bool TryParse(string name, [NotNullWhen(true)] out Recipe? recipe)
    {
        string canonical = s_aliases.GetValueOrDefault(name, name);
        return (recipe = All.FirstOrDefault(r => r.Name.Equals(canonical, StringComparison.OrdinalIgnoreCase))) is not null;
    }

    /// <inheritdoc cref="TryParse"/>
    /// <exception cref="NibbleException">There is none of that name; the message lists those there are.</exception>
    public static Recipe Parse(string name) =>
        TryParse(name, out Recipe? recipe) ? recipe : Throw.BadInput<Recipe>($"unknown type '{name}'; known are {Names}");

    /// <summary>The recipes with GGUF's number <paramref name="fileType"/>: of 40 there are two, llama.cpp's Q1_0 and bitnet.cpp's I2_S.</summary>
    public static IEnumerable<Recipe> FromFileType(long fileType) => All.Where(r => r.FileType == fileType);

    /// <summary>The format for a tensor of this role, before its shape is looked at.</summary>
    /// <param name="role">What the tensor does; a token embedding that is the output too counts as <see cref="TensorRole.Output"/>.</param>
    /// <param name="place">Where it stands.</param>
    internal WeightFormat Choose(TensorRole role, TensorPlace place) => role switch
    {
        _ when IsPlain => Format,
        TensorRole.Output when place.IsFalcon => s_q8_0,
        TensorRole.Output => Output ?? (Format == s_q8_0 ? s_q8_0 : s_q6_K),
        _ when Experts is not null => place.IsExperts ? Experts : Format,
        TensorRole.TokenEmbedding => Embedding ?? Format,
        TensorRole.AttentionValue or TensorRole.AttentionQkv or TensorRole.AttentionKvB => ChooseForValue(place),
        TensorRole.AttentionKey when place.Experts == 8 => IsVeryLow ? s_q4_K : s_q8_0,
        TensorRole.AttentionKey or TensorRole.AttentionQuery => AttentionQueryAndKey ?? Format,
        TensorRole.AttentionOutput when place.IsFalcon && !IsVeryLow => FalconAttentionOutput ?? Format,
        TensorRole.AttentionOutput when place.Experts == 8 => KeepsOutputOfEightExperts ? s_q5_K : Format,
        TensorRole.AttentionOutput => AttentionOutput?.Invoke(place) ?? Format,
        TensorRole.FeedForwardDown => Down?.Invoke(IsVeryLow ? place : place.ByLayer) ?? Format,
        TensorRole.FeedForwardGate or TensorRole.FeedForwardUp => GateAndUp?.Invoke(place.ByLayer) ?? Format,
        _ => Format,
    };

    private WeightFormat ChooseForValue(TensorPlace place)
    {
        WeightFormat format = AttentionValue?.Invoke(place) ?? Format;
        if (IsVeryLow) return place.Experts >= 4 ? s_q4_K : format;
        if (place.Experts == 8) return s_q8_0; // small beside the experts
        return place.Is70B && (format == s_q3_K || format == s_q4_K) ? s_q5_K : format; // small beside the queries, which eight heads share
    }

    /// <summary>The format with smaller blocks that stands in where a row does not fill whole blocks of <paramref name="format"/>.</summary>
    internal static WeightFormat FitToRow(WeightFormat format, long columns)
    {
        if (columns % format.BlockSize == 0) return format;
        if (format == s_i2_S) return WeightFormat.Of<F16>(); // what is ternary fits no other
        WeightFormat smaller = format == s_q6_K ? s_q8_0 : format == s_q5_K ? s_q5_1 : format == s_q4_K ? s_q5_0
            : format == s_k4_CB || format.Name.StartsWith("IQ", StringComparison.Ordinal) ? s_iq4_NL : s_q4_0;
        return columns % smaller.BlockSize == 0 ? smaller : WeightFormat.Of<F16>();
    }
}
