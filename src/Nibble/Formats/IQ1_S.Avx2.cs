using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct IQ1_S : IAvx2Step<IQ1_S, Q8_K>
{
    internal static float DotAvx2(ReadOnlySpan<IQ1_S> weights, ReadOnlySpan<Q8_K> activations) => Avx2Loop.Dot(weights, activations);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> IAvx2Step<IQ1_S, Q8_K>.Step(in IQ1_S w, in Q8_K x, Vector256<float> total)
    {
        ref ulong table = ref MemoryMarshal.GetArrayDataReference(Eighths);
        ref byte points = ref Unsafe.AsRef(in w.Points[0]);
        ref byte groups = ref Unsafe.As<ushort, byte>(ref Unsafe.AsRef(in w.Groups[0]));
        ref readonly sbyte values = ref x.Quants[0];
        Vector256<int> products = Vector256<int>.Zero;
        for (int g = 0; g < 8; g++)
        {
            uint low = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref points, g * 4)), group = Unsafe.ReadUnaligned<ushort>(ref Unsafe.Add(ref groups, g * 2));
            products += Products.SignedScaled(InEighths(ref table, low, group), Vector256.LoadUnsafe(in values, (nuint)(g * 32)), Vector256.Create((short)(2 * (group >> 12 & 7) + 1)));
        }
        return Products.AddScaled(total, 0.125f * HalfScale.ToSingle(w.Scale) * x.Scale, products);
    }
}
