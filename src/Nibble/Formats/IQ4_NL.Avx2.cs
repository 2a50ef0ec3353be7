using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Formats;

public partial struct IQ4_NL : IAvx2Step<IQ4_NL, Q8_0>, IAvx2Levels<IQ4_NL>
{
    internal static float DotAvx2(ReadOnlySpan<IQ4_NL> weights, ReadOnlySpan<Q8_0> activations) => Avx2Loop.DotByTwo(weights, activations);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> IAvx2Step<IQ4_NL, Q8_0>.Step(in IQ4_NL w, in Q8_0 x, Vector256<float> total)
    {
        Vector256<int> sums = Products.SignedSigned(w.UnpackAvx2(), Vector256.LoadUnsafe(in x.Quants[0]));
        return Products.AddScaled(total, HalfScale.ToSingle(w.Scale) * HalfScale.ToSingle(x.Scale), sums);
    }

    /// <summary>The levels that the quants stand for.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly Vector256<sbyte> UnpackAvx2()
    {
        Vector128<sbyte> levels = Vector128.LoadUnsafe(in MemoryMarshal.GetReference(Levels));
        return Avx2.Shuffle(Vector256.Create(levels, levels), Nibbles.Unpack(in Quants).AsSByte());
    }

    static int IAvx2Levels<IQ4_NL>.GroupSize => 32;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void IAvx2Levels<IQ4_NL>.Unpack(in IQ4_NL block, ref Levels levels)
    {
        levels.Scales[0] = HalfScale.ToSingle(block.Scale);
        levels.Put(0, block.UnpackAvx2());
    }
}
