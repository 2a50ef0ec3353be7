using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct IQ2_XXS : ILevels<IQ2_XXS>
{
    static int ILevels<IQ2_XXS>.GroupSize => 32;

    static LevelCoding ILevels<IQ2_XXS>.Coding { get; } = LevelCoding.Signed(3, 8, 25, 43);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void ILevels<IQ2_XXS>.Unpack(in IQ2_XXS block, ref Levels levels)
    {
        ref ulong table = ref MemoryMarshal.GetArrayDataReference(s_points);
        ref ulong factors = ref MemoryMarshal.GetReference(EvenSigns.Factors);
        ref byte groups = ref Unsafe.As<uint, byte>(ref Unsafe.AsRef(in block.Groups[0]));
        float eighth = 0.125f * HalfScale.ToSingle(block.Scale);
        for (int g = 0; g < 8; g++)
        {
            uint points = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref groups, g * 8)), rest = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref groups, g * 8 + 4));
            levels.PutScale(g, eighth, (int)(2 * (rest >> 28) + 1));
            levels.Put(g * 32, ByteVectors.Signed(Magnitudes(ref table, points).AsSByte(), CodebookLookup.Signs(ref factors, rest)));
        }
    }
}
