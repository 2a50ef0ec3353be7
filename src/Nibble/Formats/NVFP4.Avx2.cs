using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Formats;

public partial struct NVFP4 : IAvx2Step<NVFP4, Q8_0x2>
{
    internal static float DotAvx2(ReadOnlySpan<NVFP4> weights, ReadOnlySpan<Q8_0> activations) =>
        Avx2Loop.Dot(weights, MemoryMarshal.Cast<Q8_0, Q8_0x2>(activations));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> IAvx2Step<NVFP4, Q8_0x2>.Step(in NVFP4 w, in Q8_0x2 x, Vector256<float> total)
    {
        total = PairAvx2(in w, in x[0], total, 0);
        return PairAvx2(in w, in x[1], total, 2);
    }

    /// <summary>Adds groups <paramref name="group"/> and the next.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> PairAvx2(in NVFP4 w, in Q8_0 x, Vector256<float> total, int group)
    {
        Vector256<int> sums = Products.SignedSigned(w.UnpackPair(group), Vector256.LoadUnsafe(in x.Quants[0]));
        float scale = HalfScale.ToSingle(x.Scale);
        Vector256<float> scales = Vector256.Create(Vector128.Create(w.Scales[group].Half * scale), Vector128.Create(w.Scales[group + 1].Half * scale));
        return Vector256.MultiplyAddEstimate(Vector256.ConvertToSingle(sums), scales, total);
    }

    [SkipLocalsInit]
    internal static void QuantizeAvx2(ReadOnlySpan<float> source, Span<NVFP4> blocks)
    {
        Span<byte> quants = stackalloc byte[64];
        for (int b = 0; b < blocks.Length; b++)
        {
            ref NVFP4 block = ref blocks[b];
            for (int g = 0; g < 4; g++)
            {
                ReadOnlySpan<float> values = source.Slice(b * 64 + g * 16, 16);
                UE4M3 scale = UE4M3.Round(Magnitudes.Largest(values) / 6);
                block.Scales[g] = scale;
                FourBitFloats.Round(values, scale.Half, quants.Slice(g * 16, 16));
            }
            // The lower halves of two groups in the low nibbles, the upper ones in the high.
            for (int pair = 0; pair < 2; pair++)
            {
                Vector128<ulong> even = Vector128.Create<byte>(quants[(pair * 32)..]).AsUInt64(), odd = Vector128.Create<byte>(quants[(pair * 32 + 16)..]).AsUInt64();
                (Sse2.UnpackLow(even, odd) | Sse2.UnpackHigh(even, odd) << 4).AsByte().StoreUnsafe(ref block.Quants[pair * 16]);
            }
        }
    }
}
