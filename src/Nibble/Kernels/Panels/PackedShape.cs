using System.Numerics;
using Nibble.Formats;

namespace Nibble.Kernels.Panels;

/// <summary>How packed scales are stored.</summary>
internal enum PackedScales
{
    /// <summary>For each block of 256 a unit in single precision, and for each group a signed byte that multiplies it.</summary>
    Multiples,

    /// <summary>For each block of 256 a scale in single precision.</summary>
    One,

    /// <summary>For each group a scale in half precision.</summary>
    Halves,

    /// <summary>For each group the upper half of a scale in single precision: enough for a power of two.</summary>
    UpperHalves,
}

/// <summary>
/// How rows are packed: 16 of them side by side, so that a lane of a vector is a row. A step is 32 columns, whose codes are in planes of
/// 4, 2 and 1 bits (and whole bytes where a code has 8); a block is as many columns as share a scale of the activations.
/// </summary>
/// <param name="Bits">Bits of a code.</param>
/// <param name="Bias">What codes are larger by than the numbers they stand for; where there is a table, 128, which its entries have in them.</param>
/// <param name="HasTable">Whether a table says which numbers codes stand for.</param>
/// <param name="Group">Columns that share a scale: 16, 32 or 256.</param>
/// <param name="Block">Columns that share a scale of the activations: 32 or 256.</param>
/// <param name="Scales">How scales are stored.</param>
/// <param name="HasOffsets">Whether there are offsets, stored as the scales are.</param>
internal readonly record struct PackedShape(int Bits, int Bias, bool HasTable, int Group, int Block, PackedScales Scales, bool HasOffsets)
{
    public const int StepColumns = 32;

    /// <summary>Bytes of one single-precision number, or of four columns, for each row.</summary>
    public const int RowsBytes = RowPanel.Rows * 4;

    /// <summary>The shape in which a format is packed.</summary>
    public static PackedShape Of<TWeight, TActivation>()
        where TWeight : unmanaged, IBlock<TWeight>, ILevels<TWeight>
        where TActivation : unmanaged, IActivationBlock<TActivation>
    {
        bool isLarge = TActivation.BlockSize == 256, hasTable = TWeight.Coding.Table.Length > 0;
        PackedScales ofGroups = TWeight.HasPowersOfTwo ? PackedScales.UpperHalves : PackedScales.Halves;
        PackedScales ofMultiples = TWeight.GroupSize == 256 ? PackedScales.One : PackedScales.Multiples;
        return new(TWeight.Coding.Bits, hasTable ? 128 : TWeight.Coding.Bias, hasTable, isLarge ? TWeight.GroupSize : Math.Min(TWeight.GroupSize, 32), TActivation.BlockSize,
            isLarge ? ofMultiples : ofGroups, TWeight.HasOffsets);
    }

    /// <summary>The power of two by which codes are biased, or -1 where they are not.</summary>
    public int BiasBits => Bias == 0 ? -1 : BitOperations.Log2((uint)Bias);

    public int StepsPerBlock => Block / StepColumns;

    public int GroupsPerBlock => Block / Group;

    /// <summary>Bytes of a step's codes.</summary>
    public int CodeBytes => Bits * RowPanel.Rows * StepColumns / 8;

    /// <summary>Bytes of a block's scales, without the offsets.</summary>
    public int ScaleBytes => Scales switch
    {
        PackedScales.Multiples => RowsBytes + GroupsPerBlock * RowPanel.Rows,
        PackedScales.One => RowsBytes,
        _ => GroupsPerBlock * RowPanel.Rows * 2,
    };

    /// <summary>Bytes of a block's scales and offsets.</summary>
    public int HeaderBytes => HasOffsets ? 2 * ScaleBytes : ScaleBytes;

    /// <summary>Bytes of a block without its header.</summary>
    public int BodyBytes => StepsPerBlock * CodeBytes;

    /// <summary>Blocks of which all headers are in front of all codes: as many as make the headers whole cache lines of 64 bytes, so that no vector of codes lies in two.</summary>
    public int BlocksPerRun => HeaderBytes % 64 == 0 ? 1 : 2;

    /// <summary>Bytes of a run.</summary>
    public int RunBytes => BlocksPerRun * (HeaderBytes + BodyBytes);
}
