using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Formats;

public partial struct IQ3_XXS : IAvx2Step<IQ3_XXS, Q8_K>
{
    internal static float DotAvx2(ReadOnlySpan<IQ3_XXS> weights, ReadOnlySpan<Q8_K> activations) => Avx2Loop.Dot(weights, activations);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> IAvx2Step<IQ3_XXS, Q8_K>.Step(in IQ3_XXS w, in Q8_K x, Vector256<float> total)
    {
        ref uint table = ref MemoryMarshal.GetArrayDataReference(s_points);
        ref ulong factors = ref MemoryMarshal.GetReference(EvenSigns.Factors);
        ref byte indices = ref Unsafe.AsRef(in w.Points[0]);
        ref uint groups = ref Unsafe.AsRef(in w.Groups[0]);
        ref readonly sbyte values = ref x.Quants[0];
        Vector256<int> products = Vector256<int>.Zero;
        for (int g = 0; g < 8; g++)
        {
            Vector256<byte> magnitudes = CodebookLookup.Fours(ref table, ref Unsafe.Add(ref indices, g * 8));
            uint group = Unsafe.ReadUnaligned<uint>(ref Unsafe.As<uint, byte>(ref Unsafe.Add(ref groups, g)));
            Vector256<sbyte> signed = Avx2.Sign(Vector256.LoadUnsafe(in values, (nuint)(g * 32)), CodebookLookup.Signs(ref factors, group));
            products += Products.Scaled(magnitudes, signed, Vector256.Create((short)(2 * (group >> 28) + 1)));
        }
        return Products.AddScaled(total, 0.25f * HalfScale.ToSingle(w.Scale) * x.Scale, products);
    }
}
