using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Formats;

internal static partial class Trits
{
    /// <summary>As <see cref="Round"/>, for values that come in 32s.</summary>
    public static float RoundAvx2(ReadOnlySpan<float> values, Span<byte> trits)
    {
        float scale = Magnitudes.Largest(values);
        float inverse = scale != 0 ? 1 / scale : 0;
        ref readonly float value = ref MemoryMarshal.GetReference(values);
        ref byte trit = ref MemoryMarshal.GetReference(trits);
        for (int i = 0; i < values.Length; i += 32)
        {
            Vector256<sbyte> rounded = FloatLanes.Round32(
                Vector256.LoadUnsafe(in value, (nuint)i), Vector256.LoadUnsafe(in value, (nuint)(i + 8)),
                Vector256.LoadUnsafe(in value, (nuint)(i + 16)), Vector256.LoadUnsafe(in value, (nuint)(i + 24)), inverse);
            ((rounded + Vector256<sbyte>.One).AsByte() & Vector256.Create((byte)3)).StoreUnsafe(ref trit, (nuint)i);
        }
        return scale;
    }

    /// <summary>As <see cref="Pack"/> for 32 bytes of five digits each; digit i of byte j is <c>trits[32 * i + j]</c>.</summary>
    public static Vector256<byte> PackAvx2(ReadOnlySpan<byte> trits)
    {
        Vector256<byte> number = Vector256.Create(trits);
        for (int digit = 1; digit < 5; digit++) number = number + number + number + Vector256.Create(trits[(32 * digit)..]);
        return Fractions(number);
    }

    /// <summary>As <see cref="Pack"/> for 16 bytes of five digits each; digit i of byte j is <c>trits[16 * i + j]</c>.</summary>
    public static Vector128<byte> PackHalfAvx2(ReadOnlySpan<byte> trits)
    {
        Vector128<byte> number = Vector128.Create(trits);
        for (int digit = 1; digit < 5; digit++) number = number + number + number + Vector128.Create(trits[(16 * digit)..]);
        return Fractions(number.ToVector256()).GetLower();
    }

    /// <summary>Numbers 0 … 242 as fractions of 243, in 256ths rounded up.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> Fractions(Vector256<byte> numbers)
    {
        // n * 256 / 243 is n + n * 13 / 243, and 270 / 65536 is near enough to a 243rd.
        Vector256<ushort> low = Avx2.UnpackLow(numbers, Vector256<byte>.Zero).AsUInt16(), high = Avx2.UnpackHigh(numbers, Vector256<byte>.Zero).AsUInt16();
        return numbers + Avx2.PackUnsignedSaturate(Thirteenfold(low), Thirteenfold(high));

        static Vector256<short> Thirteenfold(Vector256<ushort> n) =>
            Avx2.MultiplyHigh(n * Vector256.Create((ushort)13) + Vector256.Create((ushort)242), Vector256.Create((ushort)270)).AsInt16();
    }
}
