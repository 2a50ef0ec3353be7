using System.Runtime.CompilerServices;

namespace Nibble.Formats;

public partial struct TQ2_0 : ILevels<TQ2_0>
{
    static int ILevels<TQ2_0>.GroupSize => 256;

    static LevelCoding ILevels<TQ2_0>.Coding { get; } = LevelCoding.Linear(2, bias: 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void ILevels<TQ2_0>.Unpack(in TQ2_0 block, ref Levels levels)
    {
        levels.PutScale(0, HalfScale.ToSingle(block.Scale), 1);
        TwoBits.Unpack(in block.Quants, offset: -1, ref levels);
    }
}
