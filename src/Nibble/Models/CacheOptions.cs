using Nibble.Formats;

namespace Nibble.Models;

/// <summary>How the keys and values of a text are stored.</summary>
public sealed record CacheOptions
{
    /// <summary>The formats there are, the most exact first.</summary>
    public static IReadOnlyList<WeightFormat> Formats { get; } =
        [WeightFormat.Of<F32>(), WeightFormat.Of<F16>(), WeightFormat.Of<BF16>(), WeightFormat.Of<Q8_0>(), WeightFormat.Of<Q5_0>(), WeightFormat.Of<Q4_0>()];

    /// <summary>Half precision, as llama.cpp stores them by default.</summary>
    public static CacheOptions Default { get; } = new();

    /// <summary>The format of keys.</summary>
    public WeightFormat KeyFormat { get; init; } = WeightFormat.Of<F16>();

    /// <summary>The format of values.</summary>
    public WeightFormat ValueFormat { get; init; } = WeightFormat.Of<F16>();

    /// <summary>
    /// Whether heads are turned before they are stored, which makes formats of few bits lose less; <see langword="null"/> for those of less
    /// than 8 bits only.
    /// </summary>
    public bool? Rotate { get; init; }

    /// <summary>Whether keys, and with them queries, are turned.</summary>
    public bool RotatesKeys => Rotate ?? IsCoarse(KeyFormat);

    /// <summary>Whether values are turned, and results back.</summary>
    public bool RotatesValues => Rotate ?? IsCoarse(ValueFormat);

    /// <summary>All of it in words, the same for the same cache: <c>f16</c>; <c>q4_0 (rotated)</c>; <c>keys q8_0, values q4_0 (rotated)</c>.</summary>
    public string Description
    {
        get
        {
            string keys = Describe(KeyFormat, RotatesKeys), values = Describe(ValueFormat, RotatesValues);
            return keys == values ? keys : $"keys {keys}, values {values}";

            static string Describe(WeightFormat format, bool isRotated) => format.Name.ToLowerInvariant() + (isRotated ? " (rotated)" : "");
        }
    }

    /// <summary>The format called <paramref name="name"/>; upper and lower case are the same.</summary>
    /// <exception cref="NibbleException">It is none of <see cref="Formats"/>.</exception>
    public static WeightFormat ParseFormat(string name) => Formats.FirstOrDefault(f => f.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
        ?? Throw.BadInput<WeightFormat>($"'{name}' is no type for keys and values; take {Names}");

    /// <summary>Bytes of the keys and values of <paramref name="tokens"/> tokens.</summary>
    /// <exception cref="OverflowException">More than 2^63.</exception>
    internal long Bytes(int layers, int heads, int headSize, long tokens) =>
        checked(layers * heads * tokens * (KeyFormat.ByteSize(headSize) + ValueFormat.ByteSize(headSize)));

    /// <exception cref="NibbleException">Heads of this size cannot be stored so.</exception>
    internal void Validate(int headSize)
    {
        Check(KeyFormat, "keys", "--cache-type-k");
        Check(ValueFormat, "values", "--cache-type-v");

        void Check(WeightFormat format, string what, string option)
        {
            if (!Formats.Contains(format)) Throw.BadInput($"{what} cannot be stored as {format}; take {Names} ({option})");
            if (headSize % format.BlockSize != 0)
                Throw.BadInput($"{format} stores {format.BlockSize} {what} together, which heads of {headSize} cannot be cut into; take f32, f16 or bf16 ({option})");
        }
    }

    private static string Names => string.Join(", ", Formats.Select(f => f.Name.ToLowerInvariant()));

    private static bool IsCoarse(WeightFormat format) => format.BitsPerWeight < 8;
}
