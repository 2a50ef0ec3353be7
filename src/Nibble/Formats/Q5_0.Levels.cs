using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct Q5_0 : ILevels<Q5_0>
{
    static int ILevels<Q5_0>.GroupSize => 32;

    static LevelCoding ILevels<Q5_0>.Coding { get; } = LevelCoding.Linear(5, bias: 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void ILevels<Q5_0>.Unpack(in Q5_0 block, ref Levels levels)
    {
        levels.Scales[0] = HalfScale.ToSingle(block.Scale);
        levels.Put(0, block.UnpackNumbers());
    }

    /// <summary>The quants less 16: of each the low bits alone where bit 4 is set, else with all high bits set.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly Vector256<sbyte> UnpackNumbers()
    {
        Vector256<byte> high = Vector256.AndNot(Vector256.Create((byte)0xf0), HighBits.Mask(FifthBits));
        return (Nibbles.Unpack(in Quants) | high).AsSByte();
    }
}
