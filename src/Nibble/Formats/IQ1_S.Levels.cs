using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct IQ1_S : ILevels<IQ1_S>
{
    static int ILevels<IQ1_S>.GroupSize => 32;

    static LevelCoding ILevels<IQ1_S>.Coding { get; } = LevelCoding.Signed(3, 1, 7, 9);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void ILevels<IQ1_S>.Unpack(in IQ1_S block, ref Levels levels)
    {
        ref ulong table = ref MemoryMarshal.GetArrayDataReference(Eighths);
        ref byte points = ref Unsafe.AsRef(in block.Points[0]), groups = ref Unsafe.As<ushort, byte>(ref Unsafe.AsRef(in block.Groups[0]));
        float eighth = 0.125f * HalfScale.ToSingle(block.Scale);
        for (int g = 0; g < 8; g++)
        {
            uint low = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref points, g * 4)), group = Unsafe.ReadUnaligned<ushort>(ref Unsafe.Add(ref groups, g * 2));
            levels.PutScale(g, eighth, (int)(2 * (group >> 12 & 7) + 1));
            levels.Put(g * 32, InEighths(ref table, low, group));
        }
    }

    /// <summary>Eight times the shifted coordinates of a group, by the low bytes of its four points and the group's word.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<sbyte> InEighths(ref ulong table, uint low, uint group)
    {
        Vector256<sbyte> points = CodebookLookup.Eights(
            ref table, low & 255 | group << 8 & 0x700, low >> 8 & 255 | group << 5 & 0x700, low >> 16 & 255 | group << 2 & 0x700, low >> 24 | group >> 1 & 0x700).AsSByte();
        return points + Vector256.Create((sbyte)EvenSigns.At((int)group, 15));
    }
}
