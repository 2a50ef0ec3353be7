using System.Runtime.CompilerServices;

namespace Nibble.Kernels.Panels;

/// <summary>The kernel for Arm, whose products are of signed bytes.</summary>
/// <param name="shape">How finely weights and tokens are scaled.</param>
internal readonly unsafe struct NeonKernel(PanelShape shape) : IPanelKernel
{
    private const int Rows = RowPanel.Rows, Slots = TokenTiles.Tokens;

    public byte Bias => 0;

    [SkipLocalsInit]
    public void Run(PanelArguments* arguments, int tokens)
    {
        float* rows = stackalloc float[2 * Slots * Rows], blocks = rows + Slots * Rows;
        int* sums = stackalloc int[Slots * Rows];
        new Span<float>(rows, 2 * Slots * Rows).Clear();
        sbyte* weights = (sbyte*)arguments->Weights, values = arguments->Tokens;
        int* negatedSums = arguments->NegatedSums;
        float* scales = arguments->Scales, offsets = shape.HasOffsets ? arguments->Offsets : null, tokenScales = arguments->TokenScales;
        for (long block = 0; block < arguments->Blocks; block++, tokenScales += Slots)
        {
            for (int column = 0; column < shape.Block; column += shape.Group)
            {
                new Span<int>(sums, Slots * Rows).Clear();
                NeonTile.Add(weights, shape.Group, values, tokens, sums);
                NeonTile.EndGroup(sums, tokens, scales, offsets, negatedSums, blocks);
                weights += shape.Group * Rows;
                values += shape.Group * Slots;
                negatedSums += Slots;
                scales += Rows;
                if (offsets is not null) offsets += Rows;
            }
            NeonTile.EndBlock(blocks, tokens, tokenScales, rows);
        }
        for (int token = 0; token < tokens; token++)
            new Span<float>(rows + token * Rows, Rows).CopyTo(new Span<float>((byte*)arguments->Result + token * arguments->ResultStride, Rows));
    }
}
