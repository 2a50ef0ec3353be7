using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace Nibble.Formats;

/// <summary>A floating-point format of 16 bits that Arm widens to single precision.</summary>
internal interface INeonHalves<TSelf> where TSelf : unmanaged, INeonHalves<TSelf>
{
    /// <summary>Eight numbers in single precision.</summary>
    static abstract (Vector128<float> Low, Vector128<float> High) Widen(Vector128<ushort> bits);
}

/// <summary>The loops over numbers of 16 bits.</summary>
internal static class NeonHalves
{
    /// <summary>The dot product of as many whole eights as there are; <paramref name="done"/> becomes the number of values.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static float Dot<TWeight>(ReadOnlySpan<TWeight> weights, ReadOnlySpan<F32> activations, out int done) where TWeight : unmanaged, INeonHalves<TWeight>
    {
        activations = activations[..weights.Length];
        ref readonly ushort w = ref MemoryMarshal.GetReference(MemoryMarshal.Cast<TWeight, ushort>(weights));
        ref readonly float x = ref MemoryMarshal.GetReference(MemoryMarshal.Cast<F32, float>(activations));
        Vector128<float> even = Vector128<float>.Zero, odd = Vector128<float>.Zero;
        int i = 0;
        for (; i <= weights.Length - 8; i += 8)
        {
            (Vector128<float> low, Vector128<float> high) = TWeight.Widen(Vector128.LoadUnsafe(in w, (nuint)i));
            even = AdvSimd.FusedMultiplyAdd(even, low, Vector128.LoadUnsafe(in x, (nuint)i));
            odd = AdvSimd.FusedMultiplyAdd(odd, high, Vector128.LoadUnsafe(in x, (nuint)i + 4));
        }
        done = i;
        return Vector128.Sum(even + odd);
    }

    /// <summary>Writes the values of as many whole eights as there are and returns their number.</summary>
    public static int Dequantize<TWeight>(ReadOnlySpan<TWeight> blocks, Span<float> destination) where TWeight : unmanaged, INeonHalves<TWeight>
    {
        ref readonly ushort w = ref MemoryMarshal.GetReference(MemoryMarshal.Cast<TWeight, ushort>(blocks));
        ref float y = ref MemoryMarshal.GetReference(destination);
        int i = 0;
        for (; i <= blocks.Length - 8; i += 8)
        {
            (Vector128<float> low, Vector128<float> high) = TWeight.Widen(Vector128.LoadUnsafe(in w, (nuint)i));
            low.StoreUnsafe(ref y, (nuint)i);
            high.StoreUnsafe(ref y, (nuint)i + 4);
        }
        return i;
    }
}
