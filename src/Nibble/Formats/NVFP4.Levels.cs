using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct NVFP4 : ILevels<NVFP4>
{
    static int ILevels<NVFP4>.GroupSize => 16;

    static LevelCoding ILevels<NVFP4>.Coding { get; } = LevelCoding.Of(4, FourBitFloats.Doubled);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void ILevels<NVFP4>.Unpack(in NVFP4 block, ref Levels levels)
    {
        for (int group = 0; group < 4; group++) levels.Scales[group] = block.Scales[group].Half;
        levels.Put(0, block.UnpackPair(0));
        levels.Put(32, block.UnpackPair(2));
    }

    /// <summary>The numbers, doubled, of groups <paramref name="group"/> and the next.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly Vector256<sbyte> UnpackPair(int group)
    {
        Vector128<sbyte> half = Vector128.LoadUnsafe(in MemoryMarshal.GetReference(FourBitFloats.Doubled));
        Vector128<byte> packed = Vector128.LoadUnsafe(in Quants[group * 8]), low = Vector128.Create((byte)15);
        Vector128<ulong> lows = (packed & low).AsUInt64(), highs = ((packed.AsUInt16() >> 4).AsByte() & low).AsUInt64();
        Vector256<byte> codes = Vector256.Create(ByteVectors.InterleaveLower(lows, highs), ByteVectors.InterleaveUpper(lows, highs)).AsByte();
        return ByteVectors.Lookup(Vector256.Create(half, half), codes);
    }
}
