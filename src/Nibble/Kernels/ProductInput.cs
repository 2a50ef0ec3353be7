using Nibble.Kernels.Panels;

namespace Nibble.Kernels;

/// <summary>An input in the forms that matrices take; only what the matrix asked for is set.</summary>
internal unsafe struct ProductInput
{
    public int Tokens;

    /// <summary>Rows of activation blocks.</summary>
    public void* Blocks;

    /// <summary>Tiles of tokens in 8 bits.</summary>
    public TokenTiles.View Tiles;

    /// <summary>Tiles of tokens in single precision.</summary>
    public float* FloatTiles;
}
