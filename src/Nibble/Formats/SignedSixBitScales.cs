using System.Runtime.CompilerServices;

namespace Nibble.Formats;

/// <summary>
/// Sixteen scales -32 … 31, stored plus 32 as 6 bits, in 12 bytes (Q3_K):
/// <code>
///  bit          7 6 5 4                    3 2 1 0
///  byte 0 + j   bits 3-0 of scale j + 8    bits 3-0 of scale j                                (j = 0 … 7)
///  byte 8 + j   7-6, 5-4, 3-2, 1-0: bits 5-4 of scales j + 12, j + 8, j + 4, j                (j = 0 … 3)
/// </code>
/// </summary>
[InlineArray(12)]
public partial struct SignedSixBitScales
{
    private byte _first;

    /// <summary>The scale of group 0 … 15.</summary>
    public readonly int Scale(int group) => (this[group % 8] >> group / 8 * 4 & 15 | (this[8 + group % 4] >> group / 4 * 2 & 3) << 4) - 32;

    /// <param name="scales">The scales plus 32.</param>
    internal void Store(ReadOnlySpan<byte> scales)
    {
        for (int j = 0; j < 8; j++) this[j] = (byte)(scales[j] & 15 | scales[j + 8] << 4);
        for (int j = 0; j < 4; j++) this[j + 8] = (byte)(scales[j] >> 4 | scales[j + 4] >> 4 << 2 | scales[j + 8] >> 4 << 4 | scales[j + 12] >> 4 << 6);
    }
}
