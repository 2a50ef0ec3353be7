using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct Q2_K : ILevels<Q2_K>
{
    static int ILevels<Q2_K>.GroupSize => 16;

    static LevelCoding ILevels<Q2_K>.Coding { get; } = LevelCoding.Linear(2);

    static bool ILevels<Q2_K>.HasOffsets => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void ILevels<Q2_K>.Unpack(in Q2_K block, ref Levels levels)
    {
        Vector128<byte> groups = Vector128.LoadUnsafe(in block.Groups[0]), low = Vector128.Create((byte)15);
        levels.PutScales(HalfScale.ToSingle(block.Scale), (groups & low).AsSByte());
        levels.PutOffsets(-HalfScale.ToSingle(block.Minimum), ((groups.AsUInt16() >> 4).AsByte() & low).AsSByte());
        TwoBits.Unpack(in block.Quants, offset: 0, ref levels);
    }
}
