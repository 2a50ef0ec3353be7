using System.Numerics;
using Nibble.Formats;

namespace Nibble.Kernels.Panels;

/// <summary>How VPMADDUBSW, which adds two products of an unsigned and a signed byte to 16 bits, can be kept from saturating.</summary>
internal enum ProductSums
{
    /// <summary>The products of a whole group fit 16 bits.</summary>
    OfGroup,

    /// <summary>Two products fit.</summary>
    OfPair,

    /// <summary>Two products fit if weights are taken without their sign, which moves to the tokens' numbers.</summary>
    OfMagnitudes,
}

/// <summary>How a kernel without VPDPBUSD multiplies weights of a format with tokens, whose numbers are -127 … 127.</summary>
internal readonly struct ByteProducts
{
    public ByteProducts(PanelShape shape, LevelCoding coding)
    {
        const int LargestNumber = 127;
        int bias = coding.Smallest < 0 ? (int)BitOperations.RoundUpToPowerOf2((uint)-coding.Smallest) : 0;
        int pair = 2 * LargestNumber * (coding.Largest + bias);
        Sums = pair * (shape.Group / 4) <= short.MaxValue ? ProductSums.OfGroup : pair <= short.MaxValue ? ProductSums.OfPair : ProductSums.OfMagnitudes;
        Bias = Sums == ProductSums.OfMagnitudes ? 0 : bias;
    }

    public ProductSums Sums { get; }

    /// <summary>Added to the weights' numbers: 0 or a power of two.</summary>
    public int Bias { get; }
}
