using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct Q3_K : ILevels<Q3_K>
{
    static int ILevels<Q3_K>.GroupSize => 16;

    static LevelCoding ILevels<Q3_K>.Coding { get; } = LevelCoding.Linear(3, bias: 4);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void ILevels<Q3_K>.Unpack(in Q3_K block, ref Levels levels)
    {
        levels.PutScales(HalfScale.ToSingle(block.Scale), block.Groups.Unpack());
        Vector256<ushort> thirds = Vector256.LoadUnsafe(in block.ThirdBits[0]).AsUInt16();
        for (int run = 0; run < 2; run++, thirds >>= 4)
        {
            Vector256<ushort> bits = Vector256.LoadUnsafe(in block.Quants[0], (nuint)(run * 32)).AsUInt16();
            levels.Put(run * 128, Numbers(bits, thirds << 2));
            levels.Put(run * 128 + 32, Numbers(bits >> 2, thirds << 1));
            levels.Put(run * 128 + 64, Numbers(bits >> 4, thirds));
            levels.Put(run * 128 + 96, Numbers(bits >> 6, thirds >> 1));
        }

        static Vector256<sbyte> Numbers(Vector256<ushort> low, Vector256<ushort> high) =>
            (low.AsByte() & Vector256.Create((byte)3) | high.AsByte() & Vector256.Create((byte)4)).AsSByte() - Vector256.Create((sbyte)4);
    }
}
