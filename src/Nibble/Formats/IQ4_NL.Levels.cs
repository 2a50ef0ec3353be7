using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct IQ4_NL : ILevels<IQ4_NL>
{
    static int ILevels<IQ4_NL>.GroupSize => 32;

    static LevelCoding ILevels<IQ4_NL>.Coding { get; } = LevelCoding.Of(4, IQ4_NL.Levels);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void ILevels<IQ4_NL>.Unpack(in IQ4_NL block, ref Levels levels)
    {
        levels.Scales[0] = HalfScale.ToSingle(block.Scale);
        levels.Put(0, block.UnpackNumbers());
    }

    /// <summary>The levels that the quants stand for.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly Vector256<sbyte> UnpackNumbers()
    {
        Vector128<sbyte> levels = Vector128.LoadUnsafe(in MemoryMarshal.GetReference(Levels));
        return ByteVectors.Lookup(Vector256.Create(levels, levels), Nibbles.Unpack(in Quants));
    }
}
