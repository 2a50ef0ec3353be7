using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Formats;

public partial struct K4_CB : IAvx2Step<K4_CB, Q8_K, SByte16>
{
    internal static float DotAvx2(ReadOnlySpan<K4_CB> weights, ReadOnlySpan<Q8_K> activations, in SByte16 tail) => Avx2Loop.Dot(weights, activations, in tail);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> IAvx2Step<K4_CB, Q8_K, SByte16>.Step(in K4_CB w, in Q8_K x, in SByte16 tail, Vector256<float> total)
    {
        Vector128<sbyte> half = Vector128.LoadUnsafe(in tail[0]);
        Vector256<sbyte> levels = Vector256.Create(half, half);
        ref readonly byte quants = ref w.Quants[0];
        ref readonly sbyte values = ref x.Quants[0];
        Vector256<int> products = RunAvx2(in quants, in values, levels, 0) + RunAvx2(in quants, in values, levels, 1)
            + RunAvx2(in quants, in values, levels, 2) + RunAvx2(in quants, in values, levels, 3);
        return Products.AddScaled(total, HalfScale.ToSingle(w.Scale) * x.Scale, products);
    }

    /// <summary>Of 64 weights, inlined so that <paramref name="run"/> is a constant.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> RunAvx2(ref readonly byte quants, ref readonly sbyte x, Vector256<sbyte> levels, int run)
    {
        Vector256<byte> packed = Vector256.LoadUnsafe(in quants, (nuint)(run * 32)), low = Vector256.Create((byte)15);
        Vector256<sbyte> w0 = Avx2.Shuffle(levels, (packed & low).AsSByte());
        Vector256<sbyte> w1 = Avx2.Shuffle(levels, ((packed.AsUInt16() >> 4).AsByte() & low).AsSByte());
        return Products.SignedSigned(w0, Vector256.LoadUnsafe(in x, (nuint)(run * 64))) + Products.SignedSigned(w1, Vector256.LoadUnsafe(in x, (nuint)(run * 64 + 32)));
    }
}
