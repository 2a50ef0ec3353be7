using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct Q5_1 : ILevels<Q5_1>
{
    static int ILevels<Q5_1>.GroupSize => 32;

    static LevelCoding ILevels<Q5_1>.Coding { get; } = LevelCoding.Linear(5);

    static bool ILevels<Q5_1>.HasOffsets => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void ILevels<Q5_1>.Unpack(in Q5_1 block, ref Levels levels)
    {
        levels.Scales[0] = HalfScale.ToSingle(block.Scale);
        levels.Offsets[0] = HalfScale.ToSingle(block.Minimum);
        levels.Put(0, block.UnpackNumbers());
    }

    /// <summary>The quants, 0 … 31.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly Vector256<sbyte> UnpackNumbers() => (Nibbles.Unpack(in Quants) | HighBits.Mask(FifthBits) & Vector256.Create((byte)16)).AsSByte();
}
