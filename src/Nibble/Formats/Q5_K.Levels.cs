using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct Q5_K : ILevels<Q5_K>
{
    static int ILevels<Q5_K>.GroupSize => 32;

    static LevelCoding ILevels<Q5_K>.Coding { get; } = LevelCoding.Linear(5);

    static bool ILevels<Q5_K>.HasOffsets => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void ILevels<Q5_K>.Unpack(in Q5_K block, ref Levels levels)
    {
        levels.PutScalesAndOffsets(HalfScale.ToSingle(block.Scale), -HalfScale.ToSingle(block.Minimum), block.Groups.Unpack());
        Vector256<byte> low = Vector256.Create((byte)15), fifth = Vector256.Create((byte)16);
        Vector256<ushort> fifths = Vector256.LoadUnsafe(in block.FifthBits[0]).AsUInt16();
        for (int run = 0; run < 4; run++, fifths >>= 2)
        {
            Vector256<byte> packed = Vector256.LoadUnsafe(in block.Quants[0], (nuint)(run * 32));
            levels.Put(run * 64, (packed & low | (fifths << 4).AsByte() & fifth).AsSByte());
            levels.Put(run * 64 + 32, ((packed.AsUInt16() >> 4).AsByte() & low | (fifths << 3).AsByte() & fifth).AsSByte());
        }
    }
}
