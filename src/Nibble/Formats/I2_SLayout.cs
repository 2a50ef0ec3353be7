using System.Diagnostics.CodeAnalysis;

namespace Nibble.Formats;

/// <summary>
/// The three ways in which builds of bitnet.cpp have packed I2_S, all under one type number. The same bytes can be read as any of
/// them; only one gives the model back.
/// </summary>
/// <param name="Name">As <c>--i2s-layout</c> and the file's metadata call it.</param>
/// <param name="RowsTogether">Rows that share their bytes.</param>
public sealed record I2_SLayout(string Name, int RowsTogether)
{
    /// <summary>Blocks of 128 weights in 32 bytes, as <see cref="I2_S"/> has it: builds for x86, and the converter written in Python.</summary>
    public static I2_SLayout X86 { get; } = new("x86", 1);

    /// <summary>Blocks of 64 weights in 16 bytes, weight i in byte i % 16, the first 16 in bits 7-6: builds for Arm.</summary>
    public static I2_SLayout Arm { get; } = new("arm", 1);

    /// <summary>A byte for each column of four rows, the first row in bits 7-6: builds for x86 without ACT_PARALLEL.</summary>
    public static I2_SLayout Rows4 { get; } = new("rows4", 4);

    public static IReadOnlyList<I2_SLayout> All { get; } = [X86, Arm, Rows4];

    public static string Names => string.Join(", ", All.Select(l => l.Name));

    public static bool TryParse(string name, [NotNullWhen(true)] out I2_SLayout? layout) =>
        (layout = All.FirstOrDefault(l => l.Name.Equals(name, StringComparison.OrdinalIgnoreCase))) is not null;

    /// <summary>
    /// The layout that files of an architecture have, where all come from one program: Microsoft's BitNet b1.58 2B4T, under the two names
    /// that it had, is packed by a converter written in Python, whatever the processor. Others come from builds of every kind.
    /// </summary>
    public static I2_SLayout? OfArchitecture(string architecture) => architecture is "bitnet-b1.58" or "bitnet-25" ? X86 : null;

    /// <summary>The numbers 0 … 3 of one row.</summary>
    /// <param name="data">The rows that share bytes with it, whole.</param>
    /// <param name="row">Which of those it is.</param>
    /// <param name="numbers"><c>[columns]</c>, a multiple of 128.</param>
    public void Unpack(ReadOnlySpan<byte> data, int row, Span<byte> numbers)
    {
        if (this == Rows4)
        {
            for (int i = 0; i < numbers.Length; i++) numbers[i] = (byte)(data[i] >> 6 - 2 * row & 3);
            return;
        }
        int run = this == Arm ? 16 : 32;
        for (int i = 0; i < numbers.Length; i++) numbers[i] = (byte)(data[i / (4 * run) * run + i % run] >> 6 - i / run % 4 * 2 & 3);
    }

    /// <summary>The inverse of <see cref="Unpack"/>: adds a row to bytes that are zero where it goes.</summary>
    public void Pack(ReadOnlySpan<byte> numbers, int row, Span<byte> data)
    {
        if (this == Rows4)
        {
            for (int i = 0; i < numbers.Length; i++) data[i] |= (byte)(numbers[i] << 6 - 2 * row);
            return;
        }
        int run = this == Arm ? 16 : 32;
        for (int i = 0; i < numbers.Length; i++) data[i / (4 * run) * run + i % run] |= (byte)(numbers[i] << 6 - i / run % 4 * 2);
    }

    public override string ToString() => Name;
}
