using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Formats;

/// <summary>What the quantizers of activations share.</summary>
internal static class FloatLanes
{
    /// <summary>The largest of eight numbers, none of them NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Max(Vector256<float> values)
    {
        Vector128<float> four = Sse.Max(values.GetLower(), values.GetUpper());
        Vector128<float> two = Sse.Max(four, Sse.MoveHighToLow(four, four));
        return Sse.MaxScalar(two, Vector128.CreateScalarUnsafe(two[1])).ToScalar();
    }

    /// <summary>The smallest of eight numbers, none of them NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Min(Vector256<float> values)
    {
        Vector128<float> four = Sse.Min(values.GetLower(), values.GetUpper());
        Vector128<float> two = Sse.Min(four, Sse.MoveHighToLow(four, four));
        return Sse.MinScalar(two, Vector128.CreateScalarUnsafe(two[1])).ToScalar();
    }

    /// <summary>The first of the values of largest magnitude, with its sign.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Extreme(Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d)
    {
        // VMAXPS and VMINPS give their second operand where one is NaN.
        float highest = Max(Avx.Max(d, Avx.Max(c, Avx.Max(b, Avx.Max(a, Vector256<float>.Zero)))));
        float lowest = Min(Avx.Min(d, Avx.Min(c, Avx.Min(b, Avx.Min(a, Vector256<float>.Zero)))));
        if (highest != -lowest) return highest > -lowest ? highest : lowest;
        Vector256<float> magnitudes = Avx.Max(Vector256.Abs(d), Avx.Max(Vector256.Abs(c), Avx.Max(Vector256.Abs(b), Avx.Max(Vector256.Abs(a), Vector256<float>.Zero))));
        float largest = Max(magnitudes);
        if (largest == 0) return 0;
        Vector256<float> wanted = Vector256.Create(largest);
        uint isNegative = Signs(a) | Signs(b) << 8 | Signs(c) << 16 | Signs(d) << 24;
        uint found = Signs(Vector256.Equals(Vector256.Abs(a), wanted)) | Signs(Vector256.Equals(Vector256.Abs(b), wanted)) << 8
            | Signs(Vector256.Equals(Vector256.Abs(c), wanted)) << 16 | Signs(Vector256.Equals(Vector256.Abs(d), wanted)) << 24;
        return (isNegative & found & (0 - found)) != 0 ? -largest : largest;

        static uint Signs(Vector256<float> values) => values.ExtractMostSignificantBits();
    }

    /// <summary>The smallest and the largest value; of zeros of either sign any.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (float Lowest, float Highest) Range(Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d)
    {
        Vector256<float> lowest = Avx.Min(d, Avx.Min(c, Avx.Min(b, Avx.Min(a, Vector256.Create(float.MaxValue)))));
        Vector256<float> highest = Avx.Max(d, Avx.Max(c, Avx.Max(b, Avx.Max(a, Vector256.Create(float.MinValue)))));
        return (Min(lowest), Max(highest));
    }

    /// <summary>The low bytes of 32 numbers without their fractions; what does not fit 32 bits becomes 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<sbyte> Truncate(Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d) => LowBytes(
        Avx.ConvertToVector256Int32WithTruncation(a), Avx.ConvertToVector256Int32WithTruncation(b),
        Avx.ConvertToVector256Int32WithTruncation(c), Avx.ConvertToVector256Int32WithTruncation(d));

    /// <summary>The nearest integers, halves away from zero, for magnitudes below 2^22; others and NaN give <see cref="int.MinValue"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> RoundAwayFromZero(Vector256<float> values)
    {
        // The largest number below 0.5, for 0.5 itself would carry the number before it over: 0.49999997 + 0.5 = 1.
        Vector256<float> half = Vector256.Create(0.49999997f) | values & Vector256.Create(-0f);
        return Avx.ConvertToVector256Int32WithTruncation(values + half);
    }

    /// <summary>The low bytes of 32 integers in order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<sbyte> LowBytes(Vector256<int> a, Vector256<int> b, Vector256<int> c, Vector256<int> d)
    {
        Vector256<int> low = Vector256.Create(255);
        Vector256<ushort> ab = Avx2.PackUnsignedSaturate(a & low, b & low), cd = Avx2.PackUnsignedSaturate(c & low, d & low);
        // The packs work in each half of the vector: the four-byte pieces come out as a0 b0 c0 d0 a1 b1 c1 d1.
        Vector256<int> pieces = Avx2.PackUnsignedSaturate(ab.AsInt16(), cd.AsInt16()).AsInt32();
        return Avx2.PermuteVar8x32(pieces, Vector256.Create(0, 4, 1, 5, 2, 6, 3, 7)).AsSByte();
    }

    /// <summary>Rounds 32 values times <paramref name="scale"/> to bytes, halves away from zero; what is no number becomes 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<sbyte> Round32(Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d, float scale)
    {
        Vector256<float> s = Vector256.Create(scale);
        return LowBytes(RoundAwayFromZero(a * s), RoundAwayFromZero(b * s), RoundAwayFromZero(c * s), RoundAwayFromZero(d * s));
    }
}
