using System.Runtime.InteropServices;

namespace Nibble.Kernels.Panels;

/// <summary>What a packed kernel works on: tiles of 16 packed rows times up to 8 tokens. A kernel changes <see cref="Result"/> and <see cref="Tiles"/>. Assembled code reads it by offset, so the order of the fields is fixed.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct PackedArguments
{
    /// <summary>The rows, packed by <see cref="PackedRows"/>, tile after tile.</summary>
    public byte* Weights;

    /// <summary>16 numbers plus 128, four times, where the shape has a table.</summary>
    public byte* Table;

    /// <summary>Numbers of the tokens, <c>[columns / 4, slots, 4]</c>.</summary>
    public sbyte* Tokens;

    /// <summary>Scales of the tokens, <c>[columns / block, slots]</c>.</summary>
    public float* TokenScales;

    /// <summary>Minus the sums of the tokens' numbers, <c>[columns / group, slots]</c>; of 32 where a group has more.</summary>
    public int* NegatedSums;

    /// <summary>Becomes <c>[tokens, 16 * tiles]</c>.</summary>
    public float* Result;

    /// <summary>Bytes from one token of the result to the next.</summary>
    public long ResultStride;

    /// <summary>Blocks in a row.</summary>
    public long Blocks;

    /// <summary>Tiles, which follow one another in memory; at least 1.</summary>
    public long Tiles;
}
