using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct MXFP4 : IAvx2Step<MXFP4, Q8_0>
{
    internal static float DotAvx2(ReadOnlySpan<MXFP4> weights, ReadOnlySpan<Q8_0> activations) => Avx2Loop.DotByTwo(weights, activations);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> IAvx2Step<MXFP4, Q8_0>.Step(in MXFP4 w, in Q8_0 x, Vector256<float> total)
    {
        Vector256<int> sums = Products.SignedSigned(w.UnpackNumbers(), Vector256.LoadUnsafe(in x.Quants[0]));
        return Products.AddScaled(total, w.Scale.Half * HalfScale.ToSingle(x.Scale), sums);
    }

    [SkipLocalsInit]
    internal static void QuantizeAvx2(ReadOnlySpan<float> source, Span<MXFP4> blocks)
    {
        Span<byte> quants = stackalloc byte[32];
        for (int b = 0; b < blocks.Length; b++)
        {
            ReadOnlySpan<float> values = source.Slice(b * 32, 32);
            blocks[b].Scale.Bits = QuickScaleFor(Magnitudes.Largest(values));
            FourBitFloats.Round(values, blocks[b].Scale.Half, quants);
            Nibbles.Pack(quants, half: 16, blocks[b].Quants);
        }
    }

    /// <summary>
    /// As <see cref="ScaleFor"/>, where possible from the exponent: the logarithm only matters where rounding it to single precision,
    /// by less than 2^-18, could reach the next whole number, and there is more than that left where the mantissa ends 256 below it.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte QuickScaleFor(float largest)
    {
        uint bits = BitConverter.SingleToUInt32Bits(largest), exponent = bits >> 23;
        return exponent is > 1 and < 255 && (bits & 0x7f_ffff) < 0x7f_ff00 ? (byte)(exponent - 2) : ScaleFor(largest);
    }
}
