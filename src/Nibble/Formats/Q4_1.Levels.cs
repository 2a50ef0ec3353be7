using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct Q4_1 : ILevels<Q4_1>
{
    static int ILevels<Q4_1>.GroupSize => 32;

    static LevelCoding ILevels<Q4_1>.Coding { get; } = LevelCoding.Linear(4);

    static bool ILevels<Q4_1>.HasOffsets => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void ILevels<Q4_1>.Unpack(in Q4_1 block, ref Levels levels)
    {
        levels.Scales[0] = HalfScale.ToSingle(block.Scale);
        levels.Offsets[0] = HalfScale.ToSingle(block.Minimum);
        levels.Put(0, Nibbles.Unpack(in block.Quants).AsSByte());
    }
}
