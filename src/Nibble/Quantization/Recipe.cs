using System.Diagnostics.CodeAnalysis;
using Nibble.Formats;

namespace Nibble.Quantization;

/// <summary>Where a tensor stands in its model: what the layer-dependent rules of recipes look at.</summary>
/// <param name="Index">How many tensors of the same role came before it; its layer, in a model whose layers are alike.</param>
/// <param name="Count">Tensors of that role.</param>
/// <param name="HeadsPerKey">Query heads that share one key/value head.</param>
/// <param name="Experts">Experts of a mixture, or 0.</param>
/// <param name="Is70B">Whether this is a model of 80 layers with shared key/value heads.</param>
/// <param name="HasImportance">Whether an importance matrix is used.</param>
public readonly record struct TensorPlace(int Index, int Count, int HeadsPerKey, int Experts, bool Is70B, bool HasImportance)
{
    /// <summary>The first eighth, the last eighth and every third layer between: those that lose most.</summary>
    public bool IsSensitive => Index < Count / 8 || Index >= 7 * Count / 8 || (Index - Count / 8) % 3 == 2;

    public bool IsFirstEighth => Index < Count / 8;

    public bool IsFirstSixteenth => Index < Count / 16;
}

/// <summary>
/// A mixture of formats under one name, such as Q4_K_M: the format most matrices get, and those that matter more.
/// The rules are llama.cpp's, so that a name means the same file everywhere.
/// </summary>
/// <param name="Name">The name as llama.cpp spells it.</param>
/// <param name="FileType">GGUF's number for it (<c>general.file_type</c>).</param>
/// <param name="Format">The format of matrices that no rule names.</param>
public sealed record Recipe(string Name, int FileType, WeightFormat Format)
{
    private static readonly WeightFormat
        s_q4_1 = WeightFormat.Of<Q4_1>(), s_q5_1 = WeightFormat.Of<Q5_1>(), s_q8_0 = WeightFormat.Of<Q8_0>(), s_q2_K = WeightFormat.Of<Q2_K>(),
        s_q3_K = WeightFormat.Of<Q3_K>(), s_q4_K = WeightFormat.Of<Q4_K>(), s_q5_K = WeightFormat.Of<Q5_K>(), s_q6_K = WeightFormat.Of<Q6_K>();

    /// <summary>Other names that llama.cpp takes.</summary>
    private static readonly Dictionary<string, string> s_aliases = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Q3_K"] = "Q3_K_M",
        ["Q4_K"] = "Q4_K_M",
        ["Q5_K"] = "Q5_K_M",
    };

    /// <summary>Every recipe, from the largest file to the smallest.</summary>
    public static IReadOnlyList<Recipe> All { get; } =
    [
        new("F32", 0, WeightFormat.Of<F32>()),
        new("BF16", 32, WeightFormat.Of<BF16>()),
        new("F16", 1, WeightFormat.Of<F16>()),
        new("Q8_0", 7, s_q8_0),
        new("Q6_K", 18, s_q6_K),
        new("Q5_1", 9, s_q5_1),
        new("Q5_K_M", 17, s_q5_K) { AttentionValue = p => p.IsSensitive ? s_q6_K : null, Down = p => p.IsSensitive ? s_q6_K : null },
        new("Q5_K_S", 16, s_q5_K),
        new("Q5_0", 8, WeightFormat.Of<Q5_0>()) { Down = p => p.HasImportance && p.IsFirstEighth ? s_q5_1 : null },
        new("Q4_1", 3, s_q4_1),
        new("Q4_K_M", 15, s_q4_K) { AttentionValue = p => p.IsSensitive ? s_q6_K : null, Down = p => p.IsSensitive ? s_q6_K : null, KeepsOutputOfEightExperts = true },
        new("Q4_K_S", 14, s_q4_K) { AttentionValue = p => p.Index < 4 ? s_q5_K : null, Down = p => p.IsFirstEighth ? s_q5_K : null, KeepsOutputOfEightExperts = true },
        new("Q4_0", 2, WeightFormat.Of<Q4_0>()) { Down = p => p.HasImportance && p.IsFirstEighth ? s_q4_1 : null },
        new("Q3_K_L", 13, s_q3_K) { AttentionValue = _ => s_q5_K, Down = _ => s_q5_K, AttentionOutput = s_q5_K },
        new("Q3_K_M", 12, s_q3_K)
        {
            AttentionValue = p => p.Index < 2 ? s_q5_K : s_q4_K,
            Down = p => p.IsFirstSixteenth ? s_q5_K : s_q4_K,
            AttentionOutput = s_q4_K,
            KeepsOutputOfEightExperts = true,
        },
        new("Q3_K_S", 11, s_q3_K) { KeepsOutputOfEightExperts = true },
        new("Q2_K", 10, s_q2_K) { AttentionValue = p => p.HeadsPerKey >= 4 ? s_q4_K : s_q3_K, Down = _ => s_q3_K, AttentionOutput = s_q3_K, KeepsOutputOfEightExperts = true },
    ];

    /// <summary>The names of all recipes, for messages.</summary>
    public static string Names => string.Join(", ", All.Select(r => r.Name));

    /// <summary>The format of the value projection where it is not <see cref="Format"/>.</summary>
    private Func<TensorPlace, WeightFormat?>? AttentionValue { get; init; }

    /// <summary>The format of the feed-forward's last matrix where it is not <see cref="Format"/>.</summary>
    private Func<TensorPlace, WeightFormat?>? Down { get; init; }

    private WeightFormat? AttentionOutput { get; init; }

    /// <summary>Whether a mixture of eight experts gets a better attention output.</summary>
    private bool KeepsOutputOfEightExperts { get; init; }

    /// <summary>Whether this recipe only stores numbers with fewer bits each, without blocks that share scales.</summary>
    public bool IsPlain => Format.BlockSize == 1;

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

    /// <summary>The recipe with GGUF's number <paramref name="fileType"/>, or <see langword="null"/>.</summary>
    public static Recipe? FromFileType(long fileType) => All.FirstOrDefault(r => r.FileType == fileType);

    /// <summary>The format for a tensor of this role, before its shape is looked at.</summary>
    /// <param name="role">What the tensor does; a token embedding that is the output too counts as <see cref="TensorRole.Output"/>.</param>
    /// <param name="place">Where it stands.</param>
    internal WeightFormat Choose(TensorRole role, TensorPlace place) => role switch
    {
        _ when IsPlain => Format,
        TensorRole.Output => Format == s_q8_0 ? s_q8_0 : s_q6_K,
        TensorRole.AttentionValue or TensorRole.AttentionQkv or TensorRole.AttentionKvB => ChooseForValue(place),
        TensorRole.AttentionKey when place.Experts == 8 => s_q8_0,
        TensorRole.AttentionOutput when place.Experts == 8 => KeepsOutputOfEightExperts ? s_q5_K : Format,
        TensorRole.AttentionOutput => AttentionOutput ?? Format,
        TensorRole.FeedForwardDown => Down?.Invoke(place) ?? Format,
        _ => Format,
    };

    private WeightFormat ChooseForValue(TensorPlace place)
    {
        if (place.Experts == 8) return s_q8_0; // small beside the experts
        WeightFormat format = AttentionValue?.Invoke(place) ?? Format;
        return place.Is70B && (format == s_q3_K || format == s_q4_K) ? s_q5_K : format; // small beside the queries, which eight heads share
    }

    /// <summary>The format with smaller blocks that stands in where a row does not fill whole blocks of <paramref name="format"/>.</summary>
    internal static WeightFormat FitToRow(WeightFormat format, long columns)
    {
        if (columns % format.BlockSize == 0) return format;
        WeightFormat smaller = format == s_q6_K ? s_q8_0 : format == s_q5_K ? s_q5_1 : format == s_q4_K ? WeightFormat.Of<Q5_0>() : WeightFormat.Of<Q4_0>();
        return columns % smaller.BlockSize == 0 ? smaller : WeightFormat.Of<F16>();
    }
}
