using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct IQ3_S : ILevels<IQ3_S>
{
    static int ILevels<IQ3_S>.GroupSize => 32;

    static LevelCoding ILevels<IQ3_S>.Coding { get; } = LevelCoding.Signed(4, 1, 3, 5, 7, 9, 11, 13, 15);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void ILevels<IQ3_S>.Unpack(in IQ3_S block, ref Levels levels)
    {
        ref uint table = ref MemoryMarshal.GetArrayDataReference(s_points);
        ref byte indices = ref Unsafe.AsRef(in block.Points[0]), signs = ref Unsafe.AsRef(in block.Signs[0]), highBits = ref Unsafe.AsRef(in block.HighBits[0]);
        uint scales = Unsafe.ReadUnaligned<uint>(ref Unsafe.AsRef(in block.Groups[0]));
        float scale = HalfScale.ToSingle(block.Scale);
        for (int g = 0; g < 8; g++, scales >>= 4)
        {
            levels.PutScale(g, scale, (int)(2 * (scales & 15) + 1));
            Vector256<byte> magnitudes = CodebookLookup.Fours(ref table, ref Unsafe.Add(ref indices, g * 8), Unsafe.Add(ref highBits, g));
            levels.Put(g * 32, ByteVectors.Signed(magnitudes.AsSByte(), CodebookLookup.Signs(Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref signs, g * 4)))));
        }
    }
}
