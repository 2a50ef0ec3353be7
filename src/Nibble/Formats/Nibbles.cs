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
    public static void Pack(ReadOnlySpan<byte> values, int half, Span<byte> bytes)
    {
        for (int start = 0; start < bytes.Length; start += half)
            for (int j = 0; j < half; j++)
                bytes[start + j] = (byte)(values[2 * start + j] & 15 | values[2 * start + j + half] << 4);
    }
}
