using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct IQ1_M : ILevels<IQ1_M>
{
    static int ILevels<IQ1_M>.GroupSize => 16;

    static LevelCoding ILevels<IQ1_M>.Coding { get; } = LevelCoding.Signed(3, 1, 7, 9);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void ILevels<IQ1_M>.Unpack(in IQ1_M block, ref Levels levels)
    {
        ref ulong table = ref MemoryMarshal.GetArrayDataReference(IQ1_S.Eighths);
        ref byte points = ref Unsafe.AsRef(in block.Points[0]), highBits = ref Unsafe.AsRef(in block.HighBits[0]);
        levels.PutScales(0.125f * HalfScale.ToSingle(block.Groups.Scale), block.Groups.Unpack());
        for (int g = 0; g < 8; g++)
            levels.Put(g * 32, InEighths(ref table, Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref points, g * 4)), Unsafe.ReadUnaligned<ushort>(ref Unsafe.Add(ref highBits, g * 2))));
    }

    /// <summary>Eight times the shifted coordinates of 32 weights, by the low bytes of their four points and the four nibbles beside them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<sbyte> InEighths(ref ulong table, uint low, uint high)
    {
        // Of the nibbles in two bytes, the shifts' bits before eight weights each.
        Vector256<byte> holders = Vector256.Create(0ul, 0, 0x0101_0101_0101_0101, 0x0101_0101_0101_0101).AsByte();
        Vector256<byte> bit = Vector256.Create(0x0808_0808_0808_0808ul, 0x8080_8080_8080_8080, 0x0808_0808_0808_0808, 0x8080_8080_8080_8080).AsByte();
        Vector256<sbyte> points = CodebookLookup.Eights(
            ref table, low & 255 | high << 8 & 0x700, low >> 8 & 255 | high << 4 & 0x700, low >> 16 & 255 | high & 0x700, low >> 24 | high >> 4 & 0x700).AsSByte();
        Vector256<byte> isDown = Vector256.Equals(ByteVectors.Lookup(Vector256.Create((ushort)high).AsByte(), holders) & bit, bit);
        return points + (isDown | Vector256<byte>.One).AsSByte();
    }
}
