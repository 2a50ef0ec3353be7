using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Formats;

public partial struct IQ2_XXS : IAvx2Step<IQ2_XXS, Q8_K>
{
    internal static float DotAvx2(ReadOnlySpan<IQ2_XXS> weights, ReadOnlySpan<Q8_K> activations) => Avx2Loop.Dot(weights, activations);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> IAvx2Step<IQ2_XXS, Q8_K>.Step(in IQ2_XXS w, in Q8_K x, Vector256<float> total)
    {
        ref ulong table = ref MemoryMarshal.GetArrayDataReference(s_points);
        ref ulong factors = ref MemoryMarshal.GetReference(EvenSigns.Factors);
        ref byte groups = ref Unsafe.As<uint, byte>(ref Unsafe.AsRef(in w.Groups[0]));
        ref readonly sbyte values = ref x.Quants[0];
        Vector256<int> products = Vector256<int>.Zero;
        for (int g = 0; g < 8; g++)
        {
            uint points = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref groups, g * 8)), rest = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref groups, g * 8 + 4));
            Vector256<byte> magnitudes = Magnitudes(ref table, points);
            Vector256<sbyte> signed = Avx2.Sign(Vector256.LoadUnsafe(in values, (nuint)(g * 32)), CodebookLookup.Signs(ref factors, rest));
            products += Products.Scaled(magnitudes, signed, Vector256.Create((short)(2 * (rest >> 28) + 1)));
        }
        return Products.AddScaled(total, 0.125f * HalfScale.ToSingle(w.Scale) * x.Scale, products);
    }

    /// <summary>The magnitudes of a group, by its four points.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> Magnitudes(ref ulong table, uint points) => CodebookLookup.Eights(ref table, points & 255, points >> 8 & 255, points >> 16 & 255, points >> 24);
}
