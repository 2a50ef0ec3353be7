using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct Q4_0 : ILevels<Q4_0>
{
    static int ILevels<Q4_0>.GroupSize => 32;

    static LevelCoding ILevels<Q4_0>.Coding { get; } = LevelCoding.Linear(4, bias: 8);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void ILevels<Q4_0>.Unpack(in Q4_0 block, ref Levels levels)
    {
        levels.Scales[0] = HalfScale.ToSingle(block.Scale);
        levels.Put(0, block.UnpackNumbers());
    }

    /// <summary>The quants less 8.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly Vector256<sbyte> UnpackNumbers() => Nibbles.Unpack(in Quants).AsSByte() - Vector256.Create((sbyte)8);
}
