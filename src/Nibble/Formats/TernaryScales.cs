using System.Runtime.CompilerServices;

namespace Nibble.Formats;

/// <summary>
/// The 3-bit scales of sixteen groups of 16 weights (IQ1_M), and in the bits that they leave the scale of the block:
/// <code>
///  bit       15 … 12                      11 … 9        8 … 6         5 … 3         2 … 0
///  word j    bits 4j + 3 … 4j of scale    4 * j + 3     4 * j + 2     4 * j + 1     group 4 * j        (j = 0 … 3)
/// </code>
/// </summary>
[InlineArray(4)]
public partial struct TernaryScales
{
    private ushort _first;

    /// <summary>The scale of the block, in half precision.</summary>
    public Half Scale
    {
        readonly get => BitConverter.UInt16BitsToHalf((ushort)(this[0] >> 12 | this[1] >> 12 << 4 | this[2] >> 12 << 8 | this[3] >> 12 << 12));
        set
        {
            int bits = BitConverter.HalfToUInt16Bits(value);
            for (int j = 0; j < 4; j++) this[j] = (ushort)(this[j] & 0xfff | (bits >> 4 * j & 15) << 12);
        }
    }

    /// <summary>The scale of group 0 … 15, 0 … 7, which stands for an odd number 1 … 15.</summary>
    public readonly int Quant(int group) => this[group / 4] >> group % 4 * 3 & 7;

    /// <summary>Sets the scale of a group that is still 0.</summary>
    internal void Add(int group, int quant) => this[group / 4] |= (ushort)(quant << group % 4 * 3);
}
