using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Formats;

public partial struct IQ2_XS : IAvx2Step<IQ2_XS, Q8_K>
{
    internal static float DotAvx2(ReadOnlySpan<IQ2_XS> weights, ReadOnlySpan<Q8_K> activations) => Avx2Loop.Dot(weights, activations);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> IAvx2Step<IQ2_XS, Q8_K>.Step(in IQ2_XS w, in Q8_K x, Vector256<float> total)
    {
        ref ulong table = ref MemoryMarshal.GetArrayDataReference(s_points);
        ref ulong factors = ref MemoryMarshal.GetReference(EvenSigns.Factors);
        ref byte points = ref Unsafe.As<ushort, byte>(ref Unsafe.AsRef(in w.Points[0]));
        Vector256<short> scales = w.Groups.Unpack();
        ref readonly sbyte values = ref x.Quants[0];
        Vector256<int> products = Vector256<int>.Zero;
        for (int g = 0; g < 8; g++)
        {
            ulong four = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref points, g * 8));
            Vector256<sbyte> signed = Avx2.Sign(Vector256.LoadUnsafe(in values, (nuint)(g * 32)), Signs(ref factors, four));
            products += Products.Scaled(Magnitudes(ref table, four), signed, Products.Repeat(scales, g));
        }
        return Products.AddScaled(total, 0.125f * HalfScale.ToSingle(w.Scale) * x.Scale, products);
    }
}
