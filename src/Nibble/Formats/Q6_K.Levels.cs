using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct Q6_K : ILevels<Q6_K>
{
    static int ILevels<Q6_K>.GroupSize => 16;

    static LevelCoding ILevels<Q6_K>.Coding { get; } = LevelCoding.Linear(6, bias: 32);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void ILevels<Q6_K>.Unpack(in Q6_K block, ref Levels levels)
    {
        levels.PutScales(HalfScale.ToSingle(block.Scale), Vector128.LoadUnsafe(in block.Groups[0]));
        for (int run = 0; run < 2; run++)
        {
            Vector256<ushort> bits = Vector256.LoadUnsafe(in block.HighBits[0], (nuint)(run * 32)).AsUInt16();
            Vector256<ushort> q0 = Vector256.LoadUnsafe(in block.Quants[0], (nuint)(run * 64)).AsUInt16(), q1 = Vector256.LoadUnsafe(in block.Quants[0], (nuint)(run * 64 + 32)).AsUInt16();
            levels.Put(run * 128, Numbers(q0, bits << 4));
            levels.Put(run * 128 + 32, Numbers(q1, bits << 2));
            levels.Put(run * 128 + 64, Numbers(q0 >> 4, bits));
            levels.Put(run * 128 + 96, Numbers(q1 >> 4, bits >> 2));
        }

        static Vector256<sbyte> Numbers(Vector256<ushort> low, Vector256<ushort> high) =>
            (low.AsByte() & Vector256.Create((byte)15) | high.AsByte() & Vector256.Create((byte)0x30)).AsSByte() - Vector256.Create((sbyte)32);
    }
}
