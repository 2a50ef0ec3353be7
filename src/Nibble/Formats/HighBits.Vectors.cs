using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

internal static partial class HighBits
{
    /// <summary>255 in byte i where bit i is set, else 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Mask(uint bits)
    {
        // Every byte gets the byte of the word that holds its bit, then keeps that bit.
        Vector256<byte> holders = Vector256.Create(
            0x0000_0000_0000_0000ul, 0x0101_0101_0101_0101ul, 0x0202_0202_0202_0202ul, 0x0303_0303_0303_0303ul).AsByte();
        Vector256<byte> bit = Vector256.Create(0x8040_2010_0804_0201ul).AsByte();
        Vector256<byte> spread = ByteVectors.Lookup(Vector256.Create(bits).AsByte(), holders);
        return Vector256.Equals(spread & bit, bit);
    }
}
