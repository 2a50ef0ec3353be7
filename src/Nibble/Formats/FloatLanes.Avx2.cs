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
