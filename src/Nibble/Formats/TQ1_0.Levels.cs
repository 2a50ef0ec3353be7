using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct TQ1_0 : ILevels<TQ1_0>
{
    static int ILevels<TQ1_0>.GroupSize => 256;

    static LevelCoding ILevels<TQ1_0>.Coding { get; } = LevelCoding.Linear(2, bias: 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void ILevels<TQ1_0>.Unpack(in TQ1_0 block, ref Levels levels)
    {
        levels.PutScale(0, HalfScale.ToSingle(block.Scale), 1);
        Vector256<byte> bytes = Vector256.LoadUnsafe(in block.Quants[0]);
        for (int start = 0; start < 160; start += 32, bytes = TimesThree(bytes)) levels.Put(start, FirstDigits(bytes).AsSByte() - Vector256<sbyte>.One);
        Vector128<byte> c0 = Vector128.LoadUnsafe(in block.Quants[32]), c1 = TimesThree(c0), c2 = TimesThree(c1), c3 = TimesThree(c2), c4 = TimesThree(c3);
        levels.Put(160, FirstDigits(Vector256.Create(c0, c1)).AsSByte() - Vector256<sbyte>.One);
        levels.Put(192, FirstDigits(Vector256.Create(c2, c3)).AsSByte() - Vector256<sbyte>.One);
        levels.Put(224, FirstDigits(Vector256.Create(c4, block.UnpackRest())).AsSByte() - Vector256<sbyte>.One);
    }

    /// <summary>Weights 240 … 255, each a byte that starts with its digit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly Vector128<byte> UnpackRest()
    {
        uint rest = Unsafe.ReadUnaligned<uint>(ref Unsafe.AsRef(in Rest[0]));
        Vector128<byte> d0 = Vector128.CreateScalar(rest).AsByte(), d1 = TimesThree(d0), d2 = TimesThree(d1), d3 = TimesThree(d2);
        return ByteVectors.InterleaveLower(ByteVectors.InterleaveLower(d0.AsUInt32(), d1.AsUInt32()).AsUInt64(), ByteVectors.InterleaveLower(d2.AsUInt32(), d3.AsUInt32()).AsUInt64()).AsByte();
    }

    /// <summary>The low byte of three times each byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> TimesThree(Vector256<byte> bytes) => bytes + bytes + bytes;

    /// <inheritdoc cref="TimesThree(Vector256{byte})"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> TimesThree(Vector128<byte> bytes) => bytes + bytes + bytes;

    /// <summary>
    /// Three times each byte, divided by 256. Averages round up, so that of one less than the byte they give three quarters, rounded
    /// in a way that has the digit in the upper two bits.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> FirstDigits(Vector256<byte> bytes)
    {
        Vector256<byte> less = Vector256.SubtractSaturate(bytes, Vector256<byte>.One);
        Vector256<byte> threeQuarters = ByteVectors.Average(less, ByteVectors.Average(less, Vector256<byte>.Zero));
        return (threeQuarters.AsUInt16() >> 6).AsByte() & Vector256.Create((byte)3);
    }
}
