using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct I2_S : IAvx2Step<I2_S, Q8_0x4>
{
    internal static float DotAvx2(ReadOnlySpan<I2_S> weights, ReadOnlySpan<Q8_0> activations, in I2_STail tail) =>
        Avx2Loop.Dot(weights, MemoryMarshal.Cast<Q8_0, Q8_0x4>(activations)) * tail.Scale;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> IAvx2Step<I2_S, Q8_0x4>.Step(in I2_S w, in Q8_0x4 x, Vector256<float> total)
    {
        Vector256<ushort> bits = Vector256.LoadUnsafe(in w.Quants[0]).AsUInt16();
        total = RunAvx2((bits >> 6).AsByte(), in x[0], total);
        total = RunAvx2((bits >> 4).AsByte(), in x[1], total);
        total = RunAvx2((bits >> 2).AsByte(), in x[2], total);
        return RunAvx2(bits.AsByte(), in x[3], total);
    }

    /// <summary>Adds the 32 weights in bits 1-0 of <paramref name="bits"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> RunAvx2(Vector256<byte> bits, in Q8_0 x, Vector256<float> total)
    {
        Vector256<sbyte> weights = (bits & Vector256.Create((byte)3)).AsSByte() - Vector256<sbyte>.One;
        return Products.AddScaled(total, HalfScale.ToSingle(x.Scale), Products.SignedSigned(weights, Vector256.LoadUnsafe(in x.Quants[0])));
    }
}
