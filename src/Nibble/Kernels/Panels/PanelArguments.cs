using System.Runtime.InteropServices;

namespace Nibble.Kernels.Panels;

/// <summary>
/// What a panel kernel works on: 16 rows of weights (<see cref="RowPanel"/>) times up to 8 tokens (<see cref="TokenTiles"/>).
/// Assembled code reads it by offset, so the order of the fields is fixed.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct PanelArguments
{
    /// <summary>Numbers of the weights, <c>[columns / 4, 16, 4]</c>, plus the kernel's bias.</summary>
    public byte* Weights;

    /// <summary>Scales of the weights, <c>[columns / group, 16]</c>.</summary>
    public float* Scales;

    /// <summary>Offsets of the weights, <c>[columns / group, 16]</c>, where the format has them.</summary>
    public float* Offsets;

    /// <summary>Numbers of the tokens, <c>[columns / 4, 8, 4]</c>.</summary>
    public sbyte* Tokens;

    /// <summary>Scales of the tokens, <c>[columns / block, 8]</c>.</summary>
    public float* TokenScales;

    /// <summary>Minus the sums of the tokens' numbers, <c>[columns / group, 8]</c>.</summary>
    public int* NegatedSums;

    /// <summary>Becomes <c>[tokens, 16]</c>.</summary>
    public float* Result;

    /// <summary>Bytes from one token of the result to the next.</summary>
    public long ResultStride;

    /// <summary>Activation blocks in a row.</summary>
    public long Blocks;
}

/// <summary>How finely weights and activations are scaled: what a kernel is made for.</summary>
/// <param name="Group">Columns that share a scale and an offset of the weights: 16 or 32.</param>
/// <param name="Block">Columns that share a scale of the activations: 32 or 256.</param>
/// <param name="HasOffsets">Whether the weights have offsets.</param>
internal readonly record struct PanelShape(int Group, int Block, bool HasOffsets);
