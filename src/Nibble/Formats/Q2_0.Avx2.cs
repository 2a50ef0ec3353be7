using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Formats;

public partial struct Q2_0 : IAvx2Step<Q2_0, Q8_0x2>
{
    internal static float DotAvx2(ReadOnlySpan<Q2_0> weights, ReadOnlySpan<Q8_0> activations) =>
        Avx2Loop.Dot(weights, MemoryMarshal.Cast<Q8_0, Q8_0x2>(activations));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> IAvx2Step<Q2_0, Q8_0x2>.Step(in Q2_0 w, in Q8_0x2 x, Vector256<float> total)
    {
        float scale = HalfScale.ToSingle(w.Scale);
        Vector128<byte> quants = Vector128.LoadUnsafe(in w.Quants[0]);
        total = RunAvx2(quants, in x[0], scale, total);
        return RunAvx2(Sse2.ShiftRightLogical128BitLane(quants, 8), in x[1], scale, total);
    }

    /// <summary>Adds the 32 weights in the lower half of <paramref name="quants"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> RunAvx2(Vector128<byte> quants, in Q8_0 x, float scale, Vector256<float> total)
    {
        Vector256<int> sums = Products.SignedSigned(UnpackNumbers(quants), Vector256.LoadUnsafe(in x.Quants[0]));
        return Products.AddScaled(total, scale * HalfScale.ToSingle(x.Scale), sums);
    }

    internal static void QuantizeAvx2(ReadOnlySpan<float> source, Span<Q2_0> blocks)
    {
        for (int b = 0; b < blocks.Length; b++)
        {
            ReadOnlySpan<float> values = source.Slice(b * 64, 64);
            float scale = Magnitudes.Largest(values);
            float inverse = scale > 0 ? 1 / scale : 0;
            blocks[b].Scale = (Half)scale;
            ref byte quants = ref blocks[b].Quants[0];
            Vector128.Narrow(PackAvx2(values, inverse), PackAvx2(values[32..], inverse)).StoreUnsafe(ref quants);
        }
    }

    /// <summary>The quants of 32 values, four in each byte of the eight numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ushort> PackAvx2(ReadOnlySpan<float> values, float inverse)
    {
        ref readonly float value = ref MemoryMarshal.GetReference(values);
        Vector256<sbyte> quants = FloatLanes.LowBytes(Quants(in value, inverse), Quants(in Unsafe.Add(ref Unsafe.AsRef(in value), 8), inverse),
            Quants(in Unsafe.Add(ref Unsafe.AsRef(in value), 16), inverse), Quants(in Unsafe.Add(ref Unsafe.AsRef(in value), 24), inverse));
        Vector256<short> pairs = Avx2.MultiplyAddAdjacent(quants.AsByte(), Vector256.Create((short)(1 | 4 << 8)).AsSByte());
        Vector256<int> fours = Avx2.MultiplyAddAdjacent(pairs, Vector256.Create(1 | 16 << 16).AsInt16());
        return Vector128.Narrow(fours.GetLower().AsUInt32(), fours.GetUpper().AsUInt32());

        static Vector256<int> Quants(ref readonly float values, float inverse) => Vector256.Min(Vector256.Create(3), Vector256.Max(Vector256<int>.Zero,
            FloatLanes.RoundAwayFromZero(Vector256.LoadUnsafe(in values) * Vector256.Create(inverse)) + Vector256<int>.One));
    }
}
