using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct IQ2_S : ILevels<IQ2_S>
{
    static int ILevels<IQ2_S>.GroupSize => 16;

    static LevelCoding ILevels<IQ2_S>.Coding { get; } = LevelCoding.Signed(3, 8, 25, 43);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void ILevels<IQ2_S>.Unpack(in IQ2_S block, ref Levels levels)
    {
        ref ulong table = ref MemoryMarshal.GetArrayDataReference(s_points);
        ref byte points = ref Unsafe.AsRef(in block.Points[0]), signs = ref Unsafe.AsRef(in block.Signs[0]), highBits = ref Unsafe.AsRef(in block.HighBits[0]);
        levels.PutScales(0.125f * HalfScale.ToSingle(block.Scale), block.Groups.Unpack());
        for (int g = 0; g < 8; g++)
        {
            Vector256<byte> magnitudes = Magnitudes(ref table, Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref points, g * 4)), Unsafe.Add(ref highBits, g));
            levels.Put(g * 32, ByteVectors.Signed(magnitudes.AsSByte(), CodebookLookup.Signs(Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref signs, g * 4)))));
        }
    }

    /// <summary>The magnitudes of 32 weights, by four bytes and one of their points' bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> Magnitudes(ref ulong table, uint low, uint high) => CodebookLookup.Eights(
        ref table, low & 255 | high << 8 & 0x300, low >> 8 & 255 | high << 6 & 0x300, low >> 16 & 255 | high << 4 & 0x300, low >> 24 | high << 2 & 0x300);
}
