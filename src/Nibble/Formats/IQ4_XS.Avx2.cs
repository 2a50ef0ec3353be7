using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Formats;

public partial struct IQ4_XS : IAvx2Step<IQ4_XS, Q8_K>
{
    internal static float DotAvx2(ReadOnlySpan<IQ4_XS> weights, ReadOnlySpan<Q8_K> activations) => Avx2Loop.Dot(weights, activations);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> IAvx2Step<IQ4_XS, Q8_K>.Step(in IQ4_XS w, in Q8_K x, Vector256<float> total)
    {
        Vector128<short> groups = Sse41.ConvertToVector128Int16(w.UnpackScales());
        Vector256<short> scales = Vector256.Create(groups, groups);
        Vector128<sbyte> half = Vector128.LoadUnsafe(in MemoryMarshal.GetReference(IQ4_NL.Levels));
        Vector256<sbyte> levels = Vector256.Create(half, half);
        ref readonly byte quants = ref w.Quants[0];
        ref readonly sbyte values = ref x.Quants[0];
        Vector256<int> products = PairAvx2(in quants, in values, levels, scales, 0) + PairAvx2(in quants, in values, levels, scales, 2)
            + PairAvx2(in quants, in values, levels, scales, 4) + PairAvx2(in quants, in values, levels, scales, 6);
        return Products.AddScaled(total, HalfScale.ToSingle(w.Scale) * x.Scale, products);
    }

    /// <summary>Of groups <paramref name="group"/> and the next, inlined so that it is a constant.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> PairAvx2(ref readonly byte quants, ref readonly sbyte x, Vector256<sbyte> levels, Vector256<short> scales, int group)
    {
        (Vector256<sbyte> w0, Vector256<sbyte> w1) = UnpackPairAvx2(in quants, levels, group);
        return Products.SignedScaled(w0, Vector256.LoadUnsafe(in x, (nuint)(group * 32)), Products.Repeat(scales, group))
            + Products.SignedScaled(w1, Vector256.LoadUnsafe(in x, (nuint)(group * 32 + 32)), Products.Repeat(scales, group + 1));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<sbyte> First, Vector256<sbyte> Second) UnpackPairAvx2(ref readonly byte quants, Vector256<sbyte> levels, int group)
    {
        Vector256<byte> packed = Vector256.LoadUnsafe(in quants, (nuint)(group * 16)), low = Vector256.Create((byte)15);
        // Each half of the vector holds one group: the halves of its nibbles belong together.
        Vector256<byte> lows = packed & low, highs = (packed.AsUInt16() >> 4).AsByte() & low;
        return (Avx2.Shuffle(levels, Avx2.Permute2x128(lows, highs, 0x20).AsSByte()), Avx2.Shuffle(levels, Avx2.Permute2x128(lows, highs, 0x31).AsSByte()));
    }
}
