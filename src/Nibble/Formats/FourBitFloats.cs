using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

/// <summary>
/// Floating-point numbers of 4 bits (E2M1), as MXFP4 and NVFP4 hold them: a sign and one of eight magnitudes, here doubled so that
/// they are whole.
/// <code>
///  bit   3      2 1        0
///        sign   exponent   mantissa
/// </code>
/// </summary>
internal static class FourBitFloats
{
    /// <summary>Twice the number of each code.</summary>
    public static ReadOnlySpan<sbyte> Doubled => [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

    /// <summary>
    /// The code for which <c>scale * Doubled[code]</c> is nearest to each value, of two equally near the smaller in magnitude, of
    /// the two zeros the positive. Values come in sixteens.
    /// </summary>
    public static void Round(ReadOnlySpan<float> values, float scale, Span<byte> codes)
    {
        Debug.Assert(values.Length % 16 == 0 && codes.Length == values.Length, "sixteen values at a time");
        if (scale == 0)
        {
            codes.Clear();
            return;
        }
        ref readonly float value = ref MemoryMarshal.GetReference(values);
        ref byte code = ref MemoryMarshal.GetReference(codes);
        for (int i = 0; i < values.Length; i += 16)
        {
            Vector256<short> both = Vector256.Narrow(
                Round(Vector256.LoadUnsafe(in value, (nuint)i), scale),
                Round(Vector256.LoadUnsafe(in value, (nuint)(i + 8)), scale));
            Vector128.Narrow(both.GetLower(), both.GetUpper()).AsByte().StoreUnsafe(ref code, (nuint)i);
        }
    }

    private static Vector256<int> Round(Vector256<float> values, float scale)
    {
        Vector256<float> magnitudes = Vector256.Abs(values);
        // Halfway between neighbouring magnitudes; what lies above is -1 in a comparison.
        Vector256<int> code = Below(0.5f) + Below(1.5f) + Below(2.5f) + Below(3.5f) + Below(5) + Below(7) + Below(10);
        Vector256<int> sign = Vector256.LessThan(values, Vector256<float>.Zero).AsInt32() & Vector256.LessThan(code, Vector256<int>.Zero) & Vector256.Create(8);
        return sign - code;

        Vector256<int> Below(float limit) => Vector256.LessThan(Vector256.Create(limit * scale), magnitudes).AsInt32();
    }
}
