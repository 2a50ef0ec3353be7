using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct Q2_0 : ILevels<Q2_0>
{
    static int ILevels<Q2_0>.GroupSize => 64;

    static LevelCoding ILevels<Q2_0>.Coding { get; } = LevelCoding.Linear(2, bias: 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void ILevels<Q2_0>.Unpack(in Q2_0 block, ref Levels levels)
    {
        levels.Scales[0] = HalfScale.ToSingle(block.Scale);
        Vector128<byte> quants = Vector128.LoadUnsafe(in block.Quants[0]);
        levels.Put(0, UnpackNumbers(quants));
        levels.Put(32, UnpackNumbers(ByteVectors.UpperEight(quants)));
    }

    /// <summary>The 32 weights in the lower half of <paramref name="quants"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<sbyte> UnpackNumbers(Vector128<byte> quants)
    {
        // A byte in each lane of 32 bits; shifted by 6, 12 and 18 its next pairs of bits reach the next bytes of the lane.
        Vector256<uint> spread = ByteVectors.WidenLowerEight(quants).AsUInt32();
        spread |= spread << 12;
        spread |= spread << 6;
        return (spread.AsByte() & Vector256.Create((byte)3)).AsSByte() - Vector256<sbyte>.One;
    }
}
