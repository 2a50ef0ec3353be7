using System.Runtime.CompilerServices;

namespace Nibble.Formats;

/// <summary>
/// The 4-bit scales of sixteen groups of 16 weights (IQ2_XS and IQ2_S), which stand for the odd numbers 1 … 31: group g in the low
/// nibble of byte g / 2 where g is even, else in the high one.
/// </summary>
[InlineArray(8)]
public partial struct OddScales
{
    private byte _first;

    /// <summary>The nibble of group 0 … 15.</summary>
    public readonly int Quant(int group) => this[group / 2] >> group % 2 * 4 & 15;

    /// <summary>Rounds the scales to <c>scale * (2 * quant + 1)</c>.</summary>
    internal void Store(ReadOnlySpan<float> scales, float scale)
    {
        float inverse = 1 / scale;
        for (int j = 0; j < 8; j++) this[j] = (byte)(ScaleSearch.RoundOdd(scales[2 * j], inverse, 15) | ScaleSearch.RoundOdd(scales[2 * j + 1], inverse, 15) << 4);
    }
}
