using Nibble.Formats;

namespace Nibble.Tests.Formats;

public sealed class MXFP4ScaleTests
{
    /// <summary>The logarithm of numbers just below a power of two rounds up to that power, the sooner the larger the exponent.</summary>
    [Fact]
    public void Quantize_gives_the_scale_of_the_scalar_code_around_powers_of_two()
    {
        float[] values = new float[32];
        MXFP4[] expected = new MXFP4[1], actual = new MXFP4[1];
        for (int exponent = -149; exponent <= 128; exponent++)
        {
            float power = MathF.ScaleB(1, exponent);
            for (int steps = -400; steps <= 2; steps++)
            {
                values[7] = BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(power) + steps);
                if (values[7] < 0 || float.IsNaN(values[7])) continue;
                MXFP4.QuantizeScalar(values, expected);
                MXFP4.Quantize(values, actual);
                Assert.Equal(expected[0].Scale.Bits, actual[0].Scale.Bits);
            }
        }
    }
}
