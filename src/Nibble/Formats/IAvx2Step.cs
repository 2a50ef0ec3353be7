using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

/// <summary>A weight format whose AVX2 dot product adds one pair of blocks at a time to eight running sums.</summary>
internal interface IAvx2Step<TWeight, TActivation>
    where TWeight : unmanaged, IAvx2Step<TWeight, TActivation>
    where TActivation : unmanaged
{
    static abstract Vector256<float> Step(in TWeight weight, in TActivation activation, Vector256<float> total);
}

/// <summary>As <see cref="IAvx2Step{TWeight, TActivation}"/>, of a format whose tensors have a tail.</summary>
internal interface IAvx2Step<TWeight, TActivation, TTail>
    where TWeight : unmanaged, IAvx2Step<TWeight, TActivation, TTail>
    where TActivation : unmanaged
{
    static abstract Vector256<float> Step(in TWeight weight, in TActivation activation, in TTail tail, Vector256<float> total);
}

/// <summary>
/// The loops over a row. They are never inlined: a caller of some size would use up what the JIT is willing to inline, and a
/// step that is called instead keeps its sums in memory.
/// </summary>
internal static class Avx2Loop
{
    /// <summary>The dot product of rows of large blocks.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static float Dot<TWeight, TActivation>(ReadOnlySpan<TWeight> weights, ReadOnlySpan<TActivation> activations)
        where TWeight : unmanaged, IAvx2Step<TWeight, TActivation>
        where TActivation : unmanaged
    {
        activations = activations[..weights.Length];
        Vector256<float> total = Vector256<float>.Zero;
        // One copy of the step: in the middle of a second the JIT would stop inlining.
        for (int b = 0; b < weights.Length; b++) total = TWeight.Step(in weights[b], in activations[b], total);
        return Vector256.Sum(total);
    }

    /// <summary>The dot product of rows of large blocks whose tensor has a tail.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static float Dot<TWeight, TActivation, TTail>(ReadOnlySpan<TWeight> weights, ReadOnlySpan<TActivation> activations, in TTail tail)
        where TWeight : unmanaged, IAvx2Step<TWeight, TActivation, TTail>
        where TActivation : unmanaged
    {
        activations = activations[..weights.Length];
        Vector256<float> total = Vector256<float>.Zero;
        for (int b = 0; b < weights.Length; b++) total = TWeight.Step(in weights[b], in activations[b], in tail, total);
        return Vector256.Sum(total);
    }

    /// <summary>
    /// The dot product of rows of small blocks: every other block has its own sums, since a block takes less time than an
    /// addition takes to finish.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static float DotByTwo<TWeight, TActivation>(ReadOnlySpan<TWeight> weights, ReadOnlySpan<TActivation> activations)
        where TWeight : unmanaged, IAvx2Step<TWeight, TActivation>
        where TActivation : unmanaged
    {
        activations = activations[..weights.Length];
        Vector256<float> even = Vector256<float>.Zero, odd = Vector256<float>.Zero;
        int b = 0;
        for (; b < weights.Length - 1; b += 2)
        {
            even = TWeight.Step(in weights[b], in activations[b], even);
            odd = TWeight.Step(in weights[b + 1], in activations[b + 1], odd);
        }
        if (b < weights.Length) even = TWeight.Step(in weights[b], in activations[b], even);
        return Vector256.Sum(even + odd);
    }
}
