using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace Nibble.Formats;

/// <summary>What the quantizers of activations share on Arm.</summary>
internal static class NeonActivations
{
    /// <summary>The largest magnitude of values that come in fours, NaN left out.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float LargestMagnitude(ReadOnlySpan<float> values)
    {
        ref readonly float value = ref MemoryMarshal.GetReference(values);
        Vector128<float> largest = Vector128<float>.Zero;
        for (int i = 0; i < values.Length; i += 4)
        {
            Vector128<float> magnitudes = Vector128.Abs(Vector128.LoadUnsafe(in value, (nuint)i));
            largest = Vector128.ConditionalSelect(Vector128.GreaterThan(magnitudes, largest), magnitudes, largest);
        }
        return AdvSimd.Arm64.MaxAcross(largest).ToScalar();
    }

    /// <summary>Sixteen values times <paramref name="scale"/> as whole numbers of a byte, halves away from zero; what is no number or does not fit 32 bits becomes 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<sbyte> RoundAwayFromZero(ref readonly float values, float scale)
    {
        return LowBytes(Round(in values, 0, scale), Round(in values, 4, scale), Round(in values, 8, scale), Round(in values, 12, scale));

        static Vector128<int> Round(ref readonly float values, nuint start, float scale)
        {
            Vector128<float> value = Vector128.LoadUnsafe(in values, start) * scale;
            return AdvSimd.ConvertToInt32RoundAwayFromZero(value) & Fits(value);
        }
    }

    /// <summary>As <see cref="RoundAwayFromZero"/>, halves to the even number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<sbyte> RoundToEven(ref readonly float values, float scale)
    {
        return LowBytes(Round(in values, 0, scale), Round(in values, 4, scale), Round(in values, 8, scale), Round(in values, 12, scale));

        static Vector128<int> Round(ref readonly float values, nuint start, float scale)
        {
            Vector128<float> value = Vector128.LoadUnsafe(in values, start) * scale;
            return AdvSimd.ConvertToInt32RoundToEven(value) & Fits(value);
        }
    }

    /// <summary>The sum of sixteen bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Sum(Vector128<sbyte> bytes) => AdvSimd.Arm64.AddAcrossWidening(bytes).ToScalar();

    private static Vector128<int> Fits(Vector128<float> value) => Vector128.LessThan(Vector128.Abs(value), Vector128.Create(2_147_483_648f)).AsInt32();

    private static Vector128<sbyte> LowBytes(Vector128<int> a, Vector128<int> b, Vector128<int> c, Vector128<int> d) =>
        Vector128.Narrow(Vector128.Narrow(a, b), Vector128.Narrow(c, d));
}
