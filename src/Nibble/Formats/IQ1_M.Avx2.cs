using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct IQ1_M : IAvx2Step<IQ1_M, Q8_K>
{
    internal static float DotAvx2(ReadOnlySpan<IQ1_M> weights, ReadOnlySpan<Q8_K> activations) => Avx2Loop.Dot(weights, activations);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> IAvx2Step<IQ1_M, Q8_K>.Step(in IQ1_M w, in Q8_K x, Vector256<float> total)
    {
        ref ulong table = ref MemoryMarshal.GetArrayDataReference(IQ1_S.Eighths);
        ref byte points = ref Unsafe.AsRef(in w.Points[0]);
        ref byte highBits = ref Unsafe.AsRef(in w.HighBits[0]);
        ref readonly sbyte values = ref x.Quants[0];
        Vector256<short> scales = w.Groups.Unpack();
        Vector256<int> products = Vector256<int>.Zero;
        for (int g = 0; g < 8; g++)
        {
            uint low = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref points, g * 4)), high = Unsafe.ReadUnaligned<ushort>(ref Unsafe.Add(ref highBits, g * 2));
            products += Products.SignedScaled(InEighths(ref table, low, high), Vector256.LoadUnsafe(in values, (nuint)(g * 32)), Products.Repeat(scales, g));
        }
        return Products.AddScaled(total, 0.125f * HalfScale.ToSingle(w.Groups.Scale) * x.Scale, products);
    }
}
