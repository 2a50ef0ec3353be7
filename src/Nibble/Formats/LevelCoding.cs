namespace Nibble.Formats;

/// <summary>The numbers that the weights of a format have before they are scaled, and how few bits tell them apart.</summary>
/// <param name="Bits">Bits of a code: 1 to 6, or 8.</param>
/// <param name="Bias">Where the numbers follow one another: number = code - Bias.</param>
/// <param name="Table">Where they do not: number = Table[code], at most 16 of them; else empty.</param>
internal sealed record LevelCoding(int Bits, int Bias, sbyte[] Table)
{
    public int Smallest { get; } = Table.Length > 0 ? Table.Min() : -Bias;

    public int Largest { get; } = Table.Length > 0 ? Table.Max() : (1 << Bits) - 1 - Bias;

    /// <summary>The numbers from <c>-bias</c> on.</summary>
    public static LevelCoding Linear(int bits, int bias = 0) => new(bits, bias, []);

    /// <summary>The numbers of a table.</summary>
    public static LevelCoding Of(int bits, ReadOnlySpan<sbyte> table) => new(bits, 0, table.ToArray());

    /// <summary>The magnitudes with either sign.</summary>
    public static LevelCoding Signed(int bits, params ReadOnlySpan<int> magnitudes)
    {
        sbyte[] table = new sbyte[2 * magnitudes.Length];
        for (int i = 0; i < magnitudes.Length; i++) (table[2 * i], table[2 * i + 1]) = ((sbyte)magnitudes[i], (sbyte)-magnitudes[i]);
        return new(bits, 0, table);
    }
}
