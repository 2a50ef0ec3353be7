using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct Q4_K : ILevels<Q4_K>
{
    static int ILevels<Q4_K>.GroupSize => 32;

    static LevelCoding ILevels<Q4_K>.Coding { get; } = LevelCoding.Linear(4);

    static bool ILevels<Q4_K>.HasOffsets => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void ILevels<Q4_K>.Unpack(in Q4_K block, ref Levels levels)
    {
        levels.PutScalesAndOffsets(HalfScale.ToSingle(block.Scale), -HalfScale.ToSingle(block.Minimum), block.Groups.Unpack());
        Vector256<byte> low = Vector256.Create((byte)15);
        for (int run = 0; run < 4; run++)
        {
            Vector256<byte> packed = Vector256.LoadUnsafe(in block.Quants[0], (nuint)(run * 32));
            levels.Put(run * 64, (packed & low).AsSByte());
            levels.Put(run * 64 + 32, ((packed.AsUInt16() >> 4).AsByte() & low).AsSByte());
        }
    }
}
