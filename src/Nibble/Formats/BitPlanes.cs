using System.Runtime.Intrinsics;

namespace Nibble.Formats;

/// <summary>One bit of each of 256 values, as the K formats hold it: bit g of byte i belongs to value 32 * g + i.</summary>
internal static class BitPlanes
{
    /// <summary>Packs bit <paramref name="bit"/> of 256 values into 32 bytes.</summary>
    public static void Pack(ReadOnlySpan<byte> values, int bit, Span<byte> bytes)
    {
        Vector256<byte> packed = Vector256<byte>.Zero;
        for (int g = 0; g < 8; g++) packed |= (Vector256.Create(values[(g * 32)..]) >> bit & Vector256<byte>.One) << g;
        packed.CopyTo(bytes);
    }
}
