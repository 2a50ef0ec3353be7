using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

/// <summary>
/// Four 2-bit numbers a byte, as the K formats hold 256 of them: two runs of 128 values in 32 bytes each.
/// <code>
///  bit          7 6             5 4             3 2             1 0
///  byte j       value j + 96    value j + 64    value j + 32    value j          (j = 0 … 31, of each run)
/// </code>
/// </summary>
internal static partial class TwoBits
{
    /// <summary>Packs bits <paramref name="shift"/> and <paramref name="shift"/> + 1 of 256 values into 64 bytes.</summary>
    public static void Pack(ReadOnlySpan<byte> values, int shift, Span<byte> bytes)
    {
        for (int run = 0; run < 2; run++)
        {
            ReadOnlySpan<byte> v = values.Slice(run * 128, 128);
            (Bits(v, shift) | Bits(v[32..], shift) << 2 | Bits(v[64..], shift) << 4 | Bits(v[96..], shift) << 6).CopyTo(bytes[(run * 32)..]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> Bits(ReadOnlySpan<byte> values, int shift) => Vector256.Create(values) >> shift & Vector256.Create((byte)3);

    /// <summary>The number of value <paramref name="i"/>, 0 … 3.</summary>
    public static int At(ReadOnlySpan<byte> bytes, int i) => bytes[i / 128 * 32 + i % 32] >> i % 128 / 32 * 2 & 3;
}
