using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Formats;

public partial struct Q1_0 : IAvx2Step<Q1_0, Q8_0x4>
{
    internal static float DotAvx2(ReadOnlySpan<Q1_0> weights, ReadOnlySpan<Q8_0> activations) =>
        Avx2Loop.Dot(weights, MemoryMarshal.Cast<Q8_0, Q8_0x4>(activations));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> IAvx2Step<Q1_0, Q8_0x4>.Step(in Q1_0 w, in Q8_0x4 x, Vector256<float> total)
    {
        float scale = HalfScale.ToSingle(w.Scale);
        ref readonly byte signs = ref w.Signs[0];
        total = RunAvx2(in signs, in x[0], scale, total, 0);
        total = RunAvx2(in signs, in x[1], scale, total, 4);
        total = RunAvx2(in signs, in x[2], scale, total, 8);
        return RunAvx2(in signs, in x[3], scale, total, 12);
    }

    /// <summary>Adds the 32 weights that start at byte <paramref name="start"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> RunAvx2(ref readonly byte signs, in Q8_0 x, float scale, Vector256<float> total, int start)
    {
        Vector256<int> sums = Products.UnsignedSigned(Vector256<byte>.One, Avx2.Sign(Vector256.LoadUnsafe(in x.Quants[0]), UnpackNumbers(in signs, start)));
        return Products.AddScaled(total, scale * HalfScale.ToSingle(x.Scale), sums);
    }

    [SkipLocalsInit]
    internal static void QuantizeAvx2(ReadOnlySpan<float> source, Span<Q1_0> blocks)
    {
        Span<float> sums = stackalloc float[8];
        for (int b = 0; b < blocks.Length; b++)
        {
            if (b % 8 == 0) Magnitudes.Sums(source, b, 128, sums);
            blocks[b].Scale = (Half)(sums[b % 8] / 128);
            ref readonly float value = ref source.Slice(b * 128, 128)[0];
            ref byte signs = ref blocks[b].Signs[0];
            for (int i = 0; i < 128; i += 8)
            {
                Vector256<float> isSet = Vector256.GreaterThanOrEqual(Vector256.LoadUnsafe(in value, (nuint)i), Vector256<float>.Zero);
                Unsafe.Add(ref signs, i / 8) = (byte)isSet.ExtractMostSignificantBits();
            }
        }
    }
}
