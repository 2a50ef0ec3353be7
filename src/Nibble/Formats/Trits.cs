namespace Nibble.Formats;

/// <summary>Numbers of three values, 0 … 2, as the ternary formats hold them.</summary>
internal static partial class Trits
{
    /// <summary>The powers of 3 that bring digit 0 … 4 of a packed byte to its front.</summary>
    private static ReadOnlySpan<byte> Powers => [1, 3, 9, 27, 81];

    /// <summary>
    /// Rounds each value, divided by the largest magnitude, to -1, 0 or 1, stores that plus 1, and returns the largest
    /// magnitude, which is the scale.
    /// </summary>
    public static float Round(ReadOnlySpan<float> values, Span<byte> trits)
    {
        float scale = MathF.Abs(ScaleSearch.Extreme(values));
        float inverse = scale != 0 ? 1 / scale : 0;
        for (int i = 0; i < trits.Length; i++) trits[i] = (byte)(Rounding.AwayFromZero(values[i] * inverse) + 1 & 3);
        return scale;
    }

    /// <summary>
    /// Five trits in a byte, the digits of a number 0 … 242 with the first in front: the byte is the number as a fraction of
    /// 243, in 256ths rounded up, so that three times it carries the first digit out at the top. Where
    /// <paramref name="count"/> is below 5 the last digits are 0. Digit i is <c>trits[first + i * stride]</c>.
    /// </summary>
    public static byte Pack(ReadOnlySpan<byte> trits, int first, int stride, int count)
    {
        int number = 0;
        for (int digit = 0; digit < 5; digit++) number = number * 3 + (digit < count ? trits[first + digit * stride] : 0);
        return (byte)((number * 256 + 242) / 243);
    }

    /// <summary>Digit 0 … 4 of a packed byte.</summary>
    public static int Digit(byte packed, int digit) => (byte)(packed * Powers[digit]) * 3 >> 8;
}
