namespace Nibble.Formats;

/// <summary>
/// From floating point to integers, with the same result on every processor. Where a value has no integer (infinities
/// and NaN, which scales of denormal size lead to) the results are those of x86, so that files come out the same.
/// </summary>
internal static partial class Rounding
{
    /// <summary>The nearest integer, halves to the even one, for magnitudes up to 4,194,303; infinities give -4,194,304.</summary>
    public static int ToEven(float value)
    {
        // 1.5 * 2^23 pushes the fraction out of the 23 stored bits, which then hold the integer plus 2^22.
        int bits = BitConverter.SingleToInt32Bits(value + 12_582_912f);
        return (bits & 0x7f_ffff) - 0x40_0000;
    }

    /// <summary>The integer part; what does not fit 32 bits gives <see cref="int.MinValue"/>, whose low byte is 0.</summary>
    public static int TowardZero(float value) => value is >= -2_147_483_648f and < 2_147_483_648f ? (int)value : int.MinValue;

    /// <summary>The nearest integer, halves away from zero; what does not fit 32 bits gives <see cref="int.MinValue"/>.</summary>
    public static int AwayFromZero(float value) => TowardZero(MathF.Round(value, MidpointRounding.AwayFromZero));
}
