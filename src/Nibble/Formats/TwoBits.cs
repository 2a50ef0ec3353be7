namespace Nibble.Formats;

/// <summary>
/// Four 2-bit numbers a byte, as the K formats hold 256 of them: two runs of 128 values in 32 bytes each.
/// <code>
///  bit          7 6             5 4             3 2             1 0
///  byte j       value j + 96    value j + 64    value j + 32    value j          (j = 0 … 31, of each run)
/// </code>
/// </summary>
internal static class TwoBits
{
    /// <summary>Packs bits <paramref name="shift"/> and <paramref name="shift"/> + 1 of 256 values into 64 bytes.</summary>
    public static void Pack(ReadOnlySpan<byte> values, int shift, Span<byte> bytes)
    {
        for (int run = 0; run < 2; run++)
        {
            ReadOnlySpan<byte> v = values.Slice(run * 128, 128);
            for (int j = 0; j < 32; j++)
                bytes[run * 32 + j] = (byte)(v[j] >> shift & 3 | (v[j + 32] >> shift & 3) << 2 | (v[j + 64] >> shift & 3) << 4 | (v[j + 96] >> shift & 3) << 6);
        }
    }

    /// <summary>The number of value <paramref name="i"/>, 0 … 3.</summary>
    public static int At(ReadOnlySpan<byte> bytes, int i) => bytes[i / 128 * 32 + i % 32] >> i % 128 / 32 * 2 & 3;
}
