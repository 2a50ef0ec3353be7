using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct IQ3_XXS : ILevels<IQ3_XXS>
{
    static int ILevels<IQ3_XXS>.GroupSize => 32;

    static LevelCoding ILevels<IQ3_XXS>.Coding { get; } = LevelCoding.Signed(4, 4, 12, 20, 28, 36, 44, 52, 62);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void ILevels<IQ3_XXS>.Unpack(in IQ3_XXS block, ref Levels levels)
    {
        ref uint table = ref MemoryMarshal.GetArrayDataReference(s_points), groups = ref Unsafe.AsRef(in block.Groups[0]);
        ref ulong factors = ref MemoryMarshal.GetReference(EvenSigns.Factors);
        ref byte indices = ref Unsafe.AsRef(in block.Points[0]);
        float quarter = 0.25f * HalfScale.ToSingle(block.Scale);
        for (int g = 0; g < 8; g++)
        {
            uint group = Unsafe.ReadUnaligned<uint>(ref Unsafe.As<uint, byte>(ref Unsafe.Add(ref groups, g)));
            levels.PutScale(g, quarter, (int)(2 * (group >> 28) + 1));
            levels.Put(g * 32, ByteVectors.Signed(CodebookLookup.Fours(ref table, ref Unsafe.Add(ref indices, g * 8)).AsSByte(), CodebookLookup.Signs(ref factors, group)));
        }
    }
}
