using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct IQ2_XS : ILevels<IQ2_XS>
{
    static int ILevels<IQ2_XS>.GroupSize => 16;

    static LevelCoding ILevels<IQ2_XS>.Coding { get; } = LevelCoding.Signed(3, 8, 25, 43);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void ILevels<IQ2_XS>.Unpack(in IQ2_XS block, ref Levels levels)
    {
        ref ulong table = ref MemoryMarshal.GetArrayDataReference(s_points);
        ref ulong factors = ref MemoryMarshal.GetReference(EvenSigns.Factors);
        ref byte points = ref Unsafe.As<ushort, byte>(ref Unsafe.AsRef(in block.Points[0]));
        levels.PutScales(0.125f * HalfScale.ToSingle(block.Scale), block.Groups.Unpack());
        for (int g = 0; g < 8; g++)
        {
            ulong four = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref points, g * 8));
            levels.Put(g * 32, ByteVectors.Signed(Magnitudes(ref table, four).AsSByte(), Signs(ref factors, four)));
        }
    }

    /// <summary>The magnitudes of 32 weights, by four points with their signs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> Magnitudes(ref ulong table, ulong points)
    {
        uint low = (uint)points, high = (uint)(points >> 32);
        return CodebookLookup.Eights(ref table, low & 511, low >> 16 & 511, high & 511, high >> 16 & 511);
    }

    /// <summary>1 and -1 for 32 weights, by four points with their signs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<sbyte> Signs(ref ulong factors, ulong points)
    {
        uint low = (uint)points, high = (uint)(points >> 32);
        return CodebookLookup.Eights(ref factors, low >> 9 & 127, low >> 25, high >> 9 & 127, high >> 25).AsSByte();
    }
}
