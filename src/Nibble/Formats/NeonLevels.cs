using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace Nibble.Formats;

/// <summary>The dot product of a row and a token on Arm, the same for all formats whose blocks are taken apart into levels.</summary>
internal static class NeonLevels
{
    /// <summary>Multiplies block by block: sums of each group are exact integers, then scaled and added in single precision.</summary>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.NoInlining)]
    public static float Dot<TWeight, TActivation>(ReadOnlySpan<TWeight> weights, ReadOnlySpan<TActivation> activations)
        where TWeight : unmanaged, ILevels<TWeight>
        where TActivation : unmanaged, IActivationBlock<TActivation>
    {
        int parts = TWeight.BlockSize / TActivation.BlockSize, group = Math.Min(TWeight.GroupSize, TActivation.BlockSize);
        activations = activations[..(weights.Length * parts)];
        Unsafe.SkipInit(out Levels levels);
        Vector128<float> total = Vector128<float>.Zero;
        float offsets = 0;
        for (int b = 0; b < weights.Length; b++)
        {
            TWeight.Unpack(in weights[b], ref levels);
            for (int part = 0; part < parts; part++)
            {
                ref readonly TActivation x = ref activations[b * parts + part];
                ref readonly sbyte numbers = ref levels.Numbers[part * TActivation.BlockSize], values = ref TActivation.NumbersOf(in x);
                Vector128<float> sum = Vector128<float>.Zero;
                for (int start = 0; start < TActivation.BlockSize; start += group)
                {
                    Vector128<int> products = Vector128<int>.Zero;
                    for (int i = start; i < start + group; i += 16)
                        products = NeonProducts.Add(products, Vector128.LoadUnsafe(in numbers, (nuint)i), Vector128.LoadUnsafe(in values, (nuint)i));
                    int index = (part * TActivation.BlockSize + start) / TWeight.GroupSize;
                    sum = AdvSimd.FusedMultiplyAdd(sum, Vector128.ConvertToSingle(products), Vector128.Create(levels.Scales[index]));
                    if (TWeight.HasOffsets) offsets += levels.Offsets[index] * SumOf(in x, start, group);
                }
                total = AdvSimd.FusedMultiplyAdd(total, sum, Vector128.Create(TActivation.ScaleOf(in x)));
            }
        }
        return Vector128.Sum(total) + offsets;
    }

    /// <summary>The sum of a group of activations, as the scalar code has it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float SumOf<TActivation>(ref readonly TActivation x, int start, int count) where TActivation : unmanaged, IActivationBlock<TActivation>
    {
        if (typeof(TActivation) == typeof(Q8_1)) return HalfScale.ToSingle(Unsafe.As<TActivation, Q8_1>(ref Unsafe.AsRef(in x)).Sum);
        Vector128<int> sums = Vector128<int>.Zero;
        for (int i = start; i < start + count; i += 16)
            sums = NeonProducts.Add(sums, Vector128<sbyte>.One, Vector128.LoadUnsafe(in TActivation.NumbersOf(in x), (nuint)i));
        return TActivation.ScaleOf(in x) * Vector128.Sum(sums);
    }
}
