using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct Q1_0 : ILevels<Q1_0>
{
    static int ILevels<Q1_0>.GroupSize => 128;

    static LevelCoding ILevels<Q1_0>.Coding { get; } = LevelCoding.Signed(1, 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void ILevels<Q1_0>.Unpack(in Q1_0 block, ref Levels levels)
    {
        levels.Scales[0] = HalfScale.ToSingle(block.Scale);
        for (int start = 0; start < 16; start += 4) levels.Put(start * 8, UnpackNumbers(in block.Signs[0], start));
    }

    /// <summary>The 32 weights that start at byte <paramref name="start"/>: 1 where the bit is set, else -1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<sbyte> UnpackNumbers(ref readonly byte signs, int start)
    {
        Vector256<byte> set = HighBits.Mask(Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref Unsafe.AsRef(in signs), start)));
        return (~set | Vector256<byte>.One).AsSByte();
    }
}
