using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct MXFP4 : ILevels<MXFP4>
{
    static int ILevels<MXFP4>.GroupSize => 32;

    static bool ILevels<MXFP4>.HasPowersOfTwo => true;

    static LevelCoding ILevels<MXFP4>.Coding { get; } = LevelCoding.Of(4, FourBitFloats.Doubled);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void ILevels<MXFP4>.Unpack(in MXFP4 block, ref Levels levels)
    {
        levels.Scales[0] = block.Scale.Half;
        levels.Put(0, block.UnpackNumbers());
    }

    /// <summary>The numbers that the quants stand for, doubled.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly Vector256<sbyte> UnpackNumbers()
    {
        Vector128<sbyte> levels = Vector128.LoadUnsafe(in MemoryMarshal.GetReference(FourBitFloats.Doubled));
        return ByteVectors.Lookup(Vector256.Create(levels, levels), Nibbles.Unpack(in Quants));
    }
}
