using System.Runtime.CompilerServices;

namespace Nibble.Formats;

/// <summary>
/// Eight scales and eight minimums of 6 bits in 12 bytes (Q4_K and Q5_K):
/// <code>
///  bit          7 6   5 4 3 2 1 0
///  byte 0 + j   hi    scale j            hi = bits 5-4 of scale j + 4
///  byte 4 + j   hi    minimum j          hi = bits 5-4 of minimum j + 4
///  byte 8 + j   7-4: bits 3-0 of minimum j + 4,   3-0: bits 3-0 of scale j + 4       (j = 0 … 3)
/// </code>
/// </summary>
[InlineArray(12)]
public partial struct SixBitScales
{
    private byte _first;

    /// <summary>The scale of group 0 … 7, a whole number 0 … 63.</summary>
    public readonly int Scale(int group) => group < 4 ? this[group] & 63 : this[group + 4] & 15 | this[group - 4] >> 6 << 4;

    /// <summary>The minimum of group 0 … 7, a whole number 0 … 63.</summary>
    public readonly int Minimum(int group) => group < 4 ? this[group + 4] & 63 : this[group + 4] >> 4 | this[group] >> 6 << 4;

    internal void Store(ReadOnlySpan<byte> scales, ReadOnlySpan<byte> minimums)
    {
        for (int j = 0; j < 4; j++)
        {
            this[j] = (byte)(scales[j] | scales[j + 4] >> 4 << 6);
            this[j + 4] = (byte)(minimums[j] | minimums[j + 4] >> 4 << 6);
            this[j + 8] = (byte)(scales[j + 4] & 15 | minimums[j + 4] << 4);
        }
    }
}
