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
        int i = 0;
        for (; i <= weights.Length - 16; i += 16)
        {
            even = Vector256.MultiplyAddEstimate(Values(in w, i), Vector256.LoadUnsafe(in x, (nuint)i), even);
            odd = Vector256.MultiplyAddEstimate(Values(in w, i + 8), Vector256.LoadUnsafe(in x, (nuint)i + 8), odd);
        }
        return Vector256.Sum(even + odd) + DotScalar(weights[i..], activations[i..]);
    }

    /// <summary>Writes the values of as many whole vectors as there are and returns their number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int DequantizeAvx2(ReadOnlySpan<F16> blocks, Span<float> destination)
    {
        ref readonly short w = ref MemoryMarshal.GetReference(MemoryMarshal.Cast<F16, short>(blocks));
        ref float y = ref MemoryMarshal.GetReference(destination);
        int i = 0;
        for (; i <= blocks.Length - 8; i += 8) Values(in w, i).StoreUnsafe(ref y, (nuint)i);
        return i;
    }

    /// <summary>
    /// Eight halves in single precision. Sign-extended to 32 bits and moved up by 13, a half has its parts where a float has
    /// them, but an exponent that is 127 - 15 too small, which a product with a power of two sets right, for denormals too.
    /// Infinity and NaN, of exponent 31, then still need all bits of the exponent.
    /// <code>
    ///  bit          31     30 … 28           27 … 23     22 … 13     12 … 0
    ///               sign   copies of it: 0   exponent    fraction    0
    /// </code>
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Values(ref readonly short halves, int i)
    {
        Vector256<int> bits = Avx2.ConvertToVector256Int32(Vector128.LoadUnsafe(in halves, (nuint)i)) << 13 & Vector256.Create(unchecked((int)0x8fff_e000));
        Vector256<float> values = bits.AsSingle() * BitConverter.UInt32BitsToSingle((127 + 127 - 15) << 23);
        Vector256<int> highest = Vector256.Create(31 << 23);
        Vector256<int> noNumber = Vector256.Equals(bits & highest, highest) & Vector256.Create(255 << 23);
        return values | noNumber.AsSingle();
    }
}
