using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Nibble.Quantization;

/// <summary>Whether numbers are within what a format can hold.</summary>
internal static class ValueRange
{
    /// <summary>Whether there is a NaN, an infinity, or a number of larger magnitude than <paramref name="limit"/>, which is finite and positive.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool AnyAbove(float limit, ReadOnlySpan<float> values)
    {
        Debug.Assert(float.IsFinite(limit) && limit > 0, "the bits of the limit are below those of infinity");
        // The bits of magnitudes, as whole numbers, are in the order of the magnitudes, with infinity above all numbers and NaN above that.
        const int WithoutSign = 0x7fff_ffff;
        int limitBits = BitConverter.SingleToInt32Bits(limit);
        ReadOnlySpan<int> bits = MemoryMarshal.Cast<float, int>(values);
        ref readonly int first = ref MemoryMarshal.GetReference(bits);
        Vector256<int> mask = Vector256.Create(WithoutSign), even = Vector256<int>.Zero, odd = Vector256<int>.Zero;
        int i = 0;
        for (; i <= bits.Length - 16; i += 16)
        {
            even = Vector256.Max(even, Vector256.LoadUnsafe(in first, (nuint)i) & mask);
            odd = Vector256.Max(odd, Vector256.LoadUnsafe(in first, (nuint)(i + 8)) & mask);
        }
        if (Vector256.GreaterThanAny(Vector256.Max(even, odd), Vector256.Create(limitBits))) return true;
        for (; i < bits.Length; i++)
            if ((bits[i] & WithoutSign) > limitBits) return true;
        return false;
    }
}
