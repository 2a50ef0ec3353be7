using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct IQ4_XS : ILevels<IQ4_XS>
{
    static int ILevels<IQ4_XS>.GroupSize => 32;

    static LevelCoding ILevels<IQ4_XS>.Coding { get; } = LevelCoding.Of(4, IQ4_NL.Levels);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void ILevels<IQ4_XS>.Unpack(in IQ4_XS block, ref Levels levels)
    {
        levels.PutScales(HalfScale.ToSingle(block.Scale), block.UnpackScales());
        Vector128<sbyte> half = Vector128.LoadUnsafe(in MemoryMarshal.GetReference(IQ4_NL.Levels));
        for (int group = 0; group < 8; group++)
        {
            ref readonly Byte16 quants = ref Unsafe.As<byte, Byte16>(ref Unsafe.AsRef(in block.Quants[group * 16]));
            levels.Put(group * 32, ByteVectors.Lookup(Vector256.Create(half, half), Nibbles.Unpack(in quants)));
        }
    }

    /// <summary>The scales of the groups in the lower eight bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly Vector128<sbyte> UnpackScales()
    {
        uint lows = Unsafe.ReadUnaligned<uint>(ref Unsafe.AsRef(in LowScales[0]));
        Vector128<byte> low = ByteVectors.InterleaveLower(Vector128.CreateScalar(lows & 0x0f0f_0f0f).AsByte(), Vector128.CreateScalar(lows >> 4 & 0x0f0f_0f0f).AsByte());
        // Two bytes in words of 32 bits; shifted by 6, 12 and 18 their next pairs of bits reach the next bytes of the word.
        ulong highs = HighScales & 255u | (ulong)HighScales >> 8 << 32;
        highs |= highs << 12;
        highs |= highs << 6;
        return (low.AsUInt64() | Vector128.CreateScalar((highs & 0x0303_0303_0303_0303) << 4)).AsSByte() - Vector128.Create((sbyte)32);
    }
}
