using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Formats;

public partial struct F16
{
    internal static float DotAvx2(ReadOnlySpan<F16> weights, ReadOnlySpan<F32> activations)
    {
        activations = activations[..weights.Length];
        ref readonly short w = ref MemoryMarshal.GetReference(MemoryMarshal.Cast<F16, short>(weights));
        ref readonly float x = ref MemoryMarshal.GetReference(MemoryMarshal.Cast<F32, float>(activations));
        Vector256<float> even = Vector256<float>.Zero, odd = Vector256<float>.Zero;
        Vector256<uint> largest = Vector256<uint>.Zero;
        int i = 0;
        for (; i <= weights.Length - 16; i += 16)
        {
            Vector256<int> bits0 = Bits(in w, i), bits1 = Bits(in w, i + 8);
            largest = Avx2.Max(largest, Avx2.Max((bits0 << 1).AsUInt32(), (bits1 << 1).AsUInt32()));
            even = Vector256.MultiplyAddEstimate(Scaled(bits0), Vector256.LoadUnsafe(in x, (nuint)i), even);
            odd = Vector256.MultiplyAddEstimate(Scaled(bits1), Vector256.LoadUnsafe(in x, (nuint)i + 8), odd);
        }
        // Exponent 31 means infinity or NaN, which the conversion above does not know.
        if (Vector256.GreaterThanOrEqualAny(largest, Vector256.Create(31u << 24))) return DotScalar(weights, activations);
        return Vector256.Sum(even + odd) + DotScalar(weights[i..], activations[i..]);
    }

    /// <summary>
    /// Eight halves with sign, exponent and fraction where a float has them; the exponent is then 127 - 15 too small.
    /// <code>
    ///  bit          31     30 … 28      27 … 23     22 … 13     12 … 0
    ///               sign   copies: 0    exponent    fraction    0
    /// </code>
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Bits(ref readonly short halves, int i) =>
        Avx2.ConvertToVector256Int32(Vector128.LoadUnsafe(in halves, (nuint)i)) << 13 & Vector256.Create(unchecked((int)0x8fff_e000));

    /// <summary>A product with a power of two sets the exponent right, for denormal halves too.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Scaled(Vector256<int> bits) => bits.AsSingle() * BitConverter.UInt32BitsToSingle((127 + 127 - 15) << 23);
}
