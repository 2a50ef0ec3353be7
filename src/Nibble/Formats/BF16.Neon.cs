using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

public partial struct BF16 : INeonHalves<BF16>
{
    private static float DotNeon(ReadOnlySpan<BF16> weights, ReadOnlySpan<F32> activations) =>
        NeonHalves.Dot(weights, activations, out int done) + DotScalar(weights[done..], activations[done..]);

    /// <summary>Eight numbers in single precision.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static (Vector128<float> Low, Vector128<float> High) Widen(Vector128<ushort> bits) =>
        ((Vector128.WidenLower(bits) << 16).AsSingle(), (Vector128.WidenUpper(bits) << 16).AsSingle());

    static (Vector128<float> Low, Vector128<float> High) INeonHalves<BF16>.Widen(Vector128<ushort> bits) => Widen(bits);

    /// <summary>Stores as many whole eights as there are, rounded as in the scalar code, and returns the number of values.</summary>
    private static int QuantizeNeon(ReadOnlySpan<float> source, Span<BF16> blocks)
    {
        ref readonly uint x = ref MemoryMarshal.GetReference(MemoryMarshal.Cast<float, uint>(source));
        ref ushort y = ref MemoryMarshal.GetReference(MemoryMarshal.Cast<BF16, ushort>(blocks));
        int i = 0;
        for (; i <= source.Length - 8; i += 8)
            Vector128.Narrow(Rounded(Vector128.LoadUnsafe(in x, (nuint)i)), Rounded(Vector128.LoadUnsafe(in x, (nuint)i + 4))).StoreUnsafe(ref y, (nuint)i);
        return i;

        static Vector128<uint> Rounded(Vector128<uint> bits)
        {
            Vector128<uint> isNaN = Vector128.GreaterThan(bits & Vector128.Create(0x7fff_ffffu), Vector128.Create(0x7f80_0000u));
            Vector128<uint> nearest = bits + Vector128.Create(0x7fffu) + (bits >> 16 & Vector128<uint>.One);
            return Vector128.ConditionalSelect(isNaN, bits | Vector128.Create(0x40_0000u), nearest) >> 16;
        }
    }
}
