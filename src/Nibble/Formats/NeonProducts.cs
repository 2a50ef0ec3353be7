using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace Nibble.Formats;

/// <summary>Sums of products of signed bytes on Arm: by one instruction where the processor has the dot product, as those since Armv8.4 do, else by four.</summary>
internal static class NeonProducts
{
    /// <summary>Adds four sums of four products each. The second bytes are -127 … 127, so that two products stay within 16 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Add(Vector128<int> sums, Vector128<sbyte> weights, Vector128<sbyte> activations)
    {
        if (Dp.IsSupported) return Dp.DotProduct(sums, weights, activations);
        Vector128<short> low = AdvSimd.MultiplyWideningLower(weights.GetLower(), activations.GetLower());
        Vector128<short> high = AdvSimd.MultiplyWideningUpper(weights, activations);
        return AdvSimd.AddPairwiseWideningAndAdd(sums, AdvSimd.Arm64.AddPairwise(low, high));
    }

    /// <summary>As <see cref="Add"/>, with four bytes, number <paramref name="index"/> of <paramref name="activations"/>, for all four sums.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> AddSelected(Vector128<int> sums, Vector128<sbyte> weights, Vector128<sbyte> activations, [ConstantExpected(Max = (byte)3)] byte index) => Dp.IsSupported
        ? Dp.DotProductBySelectedQuadruplet(sums, weights, activations, index)
        : Add(sums, weights, AdvSimd.DuplicateSelectedScalarToVector128(activations.AsInt32(), index).AsSByte());
}
