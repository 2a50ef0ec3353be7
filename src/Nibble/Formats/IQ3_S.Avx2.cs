using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Formats;

public partial struct IQ3_S : IAvx2Step<IQ3_S, Q8_K>
{
    internal static float DotAvx2(ReadOnlySpan<IQ3_S> weights, ReadOnlySpan<Q8_K> activations) => Avx2Loop.Dot(weights, activations);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> IAvx2Step<IQ3_S, Q8_K>.Step(in IQ3_S w, in Q8_K x, Vector256<float> total)
    {
        ref uint table = ref MemoryMarshal.GetArrayDataReference(s_points);
        ref byte indices = ref Unsafe.AsRef(in w.Points[0]);
        ref byte signs = ref Unsafe.AsRef(in w.Signs[0]);
        ref byte highBits = ref Unsafe.AsRef(in w.HighBits[0]);
        uint scales = Unsafe.ReadUnaligned<uint>(ref Unsafe.AsRef(in w.Groups[0]));
        ref readonly sbyte values = ref x.Quants[0];
        Vector256<int> products = Vector256<int>.Zero;
        for (int g = 0; g < 8; g++, scales >>= 4)
        {
            Vector256<byte> magnitudes = CodebookLookup.Fours(ref table, ref Unsafe.Add(ref indices, g * 8), Unsafe.Add(ref highBits, g));
            Vector256<sbyte> factors = CodebookLookup.Signs(Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref signs, g * 4)));
            Vector256<sbyte> signed = Avx2.Sign(Vector256.LoadUnsafe(in values, (nuint)(g * 32)), factors);
            products += Products.Scaled(magnitudes, signed, Vector256.Create((short)(2 * (scales & 15) + 1)));
        }
        return Products.AddScaled(total, HalfScale.ToSingle(w.Scale) * x.Scale, products);
    }
}
