using System.Runtime.Intrinsics;

namespace Nibble.Formats;

/// <summary>
/// Two 4-bit numbers a byte, as GGUF's formats hold them: the first half of a run of values in the low nibbles, the second
/// half in the high ones.
/// <code>
///  bit          7 6 5 4          3 2 1 0
///  byte j       value j + half   value j          (j = 0 … half - 1)
/// </code>
/// </summary>
internal static partial class Nibbles
{
    /// <summary>Packs the low 4 bits of <c>2 * bytes.Length</c> values, run by run of <c>2 * half</c> values.</summary>
    /// <param name="values">The values.</param>
    /// <param name="half">8, or a multiple of 16.</param>
    /// <param name="bytes">Whole runs.</param>
    public static void Pack(ReadOnlySpan<byte> values, int half, Span<byte> bytes)
    {
        for (int start = 0; start < bytes.Length; start += half)
        {
            ReadOnlySpan<byte> low = values.Slice(2 * start, half), high = values.Slice(2 * start + half, half);
            if (half == 8)
            {
                for (int j = 0; j < half; j++) bytes[start + j] = (byte)(low[j] & 15 | high[j] << 4);
                continue;
            }
            for (int j = 0; j < half; j += 16)
                (Vector128.Create(low[j..]) & Vector128.Create((byte)15) | Vector128.Create(high[j..]) << 4).CopyTo(bytes[(start + j)..]);
        }
    }
}
