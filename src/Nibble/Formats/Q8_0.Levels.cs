using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct Q8_0 : ILevels<Q8_0>
{
    static int ILevels<Q8_0>.GroupSize => 32;

    static LevelCoding ILevels<Q8_0>.Coding { get; } = LevelCoding.Linear(8, bias: 128);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void ILevels<Q8_0>.Unpack(in Q8_0 block, ref Levels levels)
    {
        levels.Scales[0] = HalfScale.ToSingle(block.Scale);
        levels.Put(0, Vector256.LoadUnsafe(in block.Quants[0]));
    }
}
