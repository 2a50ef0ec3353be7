using Nibble.Formats;

namespace Nibble.Quantization;

public sealed partial record Recipe
{
    private static readonly WeightFormat
        s_q2_0 = WeightFormat.Of<Q2_0>(), s_q4_0 = WeightFormat.Of<Q4_0>(), s_q4_1 = WeightFormat.Of<Q4_1>(), s_q5_0 = WeightFormat.Of<Q5_0>(),
        s_q5_1 = WeightFormat.Of<Q5_1>(), s_q8_0 = WeightFormat.Of<Q8_0>(), s_q2_K = WeightFormat.Of<Q2_K>(), s_q3_K = WeightFormat.Of<Q3_K>(),
        s_q4_K = WeightFormat.Of<Q4_K>(), s_q5_K = WeightFormat.Of<Q5_K>(), s_q6_K = WeightFormat.Of<Q6_K>(), s_iq1_S = WeightFormat.Of<IQ1_S>(),
        s_iq1_M = WeightFormat.Of<IQ1_M>(), s_iq2_XXS = WeightFormat.Of<IQ2_XXS>(), s_iq2_XS = WeightFormat.Of<IQ2_XS>(), s_iq2_S = WeightFormat.Of<IQ2_S>(),
        s_iq3_XXS = WeightFormat.Of<IQ3_XXS>(), s_iq3_S = WeightFormat.Of<IQ3_S>(), s_iq4_NL = WeightFormat.Of<IQ4_NL>(), s_iq4_XS = WeightFormat.Of<IQ4_XS>(),
        s_k4_CB = WeightFormat.Of<K4_CB>(), s_i2_S = WeightFormat.Of<I2_S>();

    /// <summary>Every recipe, from the largest file to the smallest.</summary>
    public static IReadOnlyList<Recipe> All { get; } =
    [
        new("F32", 0, WeightFormat.Of<F32>()),
        new("BF16", 32, WeightFormat.Of<BF16>()),
        new("F16", 1, WeightFormat.Of<F16>()),
        new("Q8_0", 7, s_q8_0),
        new("MXFP4_MOE", 38, s_q8_0) { Output = s_q8_0, Experts = WeightFormat.Of<MXFP4>() },
        new("Q6_K", 18, s_q6_K),
        new("Q5_1", 9, s_q5_1),
        new("Q5_K_M", 17, s_q5_K) { AttentionValue = p => p.IsSensitive ? s_q6_K : null, Down = p => p.IsSensitive ? s_q6_K : null },
        new("Q5_K_S", 16, s_q5_K),
        new("Q5_0", 8, s_q5_0) { Down = p => p.HasImportance && p.IsFirstEighth ? s_q5_1 : null },
        new("Q4_1", 3, s_q4_1),
        new("Q4_K_M", 15, s_q4_K)
        {
            AttentionValue = p => p.IsSensitive ? s_q6_K : null,
            Down = p => p.IsFalcon && !p.IsFirstSixteenth ? (p.IsSensitive ? s_q5_K : null) : p.IsSensitive ? s_q6_K : null,
            KeepsOutputOfEightExperts = true,
        },
        new("Q4_K_S", 14, s_q4_K) { AttentionValue = p => p.Index < 4 ? s_q5_K : null, Down = p => p.IsFirstEighth && !p.IsFalcon ? s_q5_K : null, KeepsOutputOfEightExperts = true },
        new("IQ4_NL", 25, s_iq4_NL) { AttentionValue = FiveBitsIfShared, Down = p => p.IsFirstEighth && !p.HasImportance ? s_q5_K : null, KeepsOutputOfEightExperts = true },
        new("Q4_0", 2, s_q4_0) { Down = p => p.HasImportance && p.IsFirstEighth ? s_q4_1 : null },
        new("NVFP4", 39, WeightFormat.Of<NVFP4>()),
        new("IQ4_XS", 30, s_iq4_XS) { AttentionValue = FiveBitsIfShared, Down = p => p.IsFirstEighth && !p.HasImportance ? s_q5_K : null, KeepsOutputOfEightExperts = true },
        new("K4_CB", K4_CB.GgufType, s_k4_CB),
        new("Q3_K_L", 13, s_q3_K) { AttentionValue = _ => s_q5_K, Down = p => p.IsFalcon ? s_q4_K : s_q5_K, AttentionOutput = _ => s_q5_K, FalconAttentionOutput = s_q4_K },
        new("Q3_K_M", 12, s_q3_K)
        {
            AttentionValue = p => p.Index < 2 ? s_q5_K : s_q4_K,
            Down = p => p.IsFirstSixteenth ? s_q5_K : p.IsFalcon && !p.IsSensitive ? null : s_q4_K,
            AttentionOutput = _ => s_q4_K,
            KeepsOutputOfEightExperts = true,
        },
        new("IQ3_M", 27, s_iq3_S)
        {
            AttentionValue = _ => s_q4_K,
            Down = p => p.IsFirstEighth || (p.Experts == 8 && p.IsSensitive) ? s_q4_K : null,
            AttentionOutput = _ => s_q4_K,
            KeepsOutputOfEightExperts = true,
        },
        new("Q3_K_S", 11, s_q3_K) { KeepsOutputOfEightExperts = true },
        new("IQ3_S", 26, s_iq3_S) { AttentionValue = FourBitsIfShared, KeepsOutputOfEightExperts = true },
        new("IQ3_XS", 22, s_iq3_S)
        {
            AttentionValue = FourBitsIfShared,
            AttentionQueryAndKey = s_iq3_XXS,
            GateAndUp = p => !p.IsFirstEighth && !p.IsLastEighth ? s_iq3_XXS : null,
            KeepsOutputOfEightExperts = true,
        },
        new("IQ3_XXS", 23, s_iq3_XXS)
        {
            AttentionValue = p => p.HeadsPerKey >= 4 ? s_q4_K : p.HasImportance ? null : s_iq3_S,
            AttentionQueryAndKey = s_iq2_S,
            AttentionOutput = _ => s_iq3_S,
            Down = p => p.HasImportance ? null : p.IsFirstEighth ? s_q4_K : s_q3_K,
            Embedding = s_iq3_S,
            Output = s_q5_K,
            KeepsOutputOfEightExperts = true,
            NeedsImportance = true,
        },
        new("Q2_K", 10, s_q2_K) { AttentionValue = p => p.HeadsPerKey >= 4 ? s_q4_K : s_q3_K, Down = _ => s_q3_K, AttentionOutput = _ => s_q3_K, KeepsOutputOfEightExperts = true },
        new("Q2_K_S", 21, s_q2_K) { AttentionValue = FourBitsIfShared, Down = p => p.IsFirstEighth ? s_q4_K : null, NeedsImportance = true },
        VeryLow("IQ2_M", 29, s_iq2_S, better: s_iq3_S, output: s_iq3_S),
        VeryLow("IQ2_S", 28, s_iq2_XS, better: s_iq3_S, output: s_iq3_S),
        VeryLow("IQ2_XS", 20, s_iq2_XS, better: s_q2_K),
        new("Q2_0", 41, s_q2_0) { Embedding = s_q4_K },
        new("I2_S", 40, s_i2_S) { Embedding = WeightFormat.Of<F16>(), Output = WeightFormat.Of<F16>() },
        new("TQ2_0", 37, WeightFormat.Of<TQ2_0>()) { Embedding = s_q4_K },
        VeryLow("IQ2_XXS", 19, s_iq2_XXS, better: s_q2_K),
        VeryLow("IQ1_M", 31, s_iq1_M, better: s_q2_K, output: s_iq2_XXS),
        new("TQ1_0", 36, WeightFormat.Of<TQ1_0>()) { Embedding = s_q4_K },
        VeryLow("IQ1_S", 24, s_iq1_S, better: s_q2_K, output: s_iq2_XXS),
        new("Q1_0", 40, WeightFormat.Of<Q1_0>()),
    ];

    private static WeightFormat? FourBitsIfShared(TensorPlace place) => place.HeadsPerKey >= 4 ? s_q4_K : null;

    private static WeightFormat? FiveBitsIfShared(TensorPlace place) => place.HeadsPerKey >= 4 ? s_q5_K : null;

    /// <summary>One and two bits: the embedding, the values and the first eighth of the last matrices get <paramref name="better"/>.</summary>
    private static Recipe VeryLow(string name, int fileType, WeightFormat format, WeightFormat better, WeightFormat? output = null) => new(name, fileType, format)
    {
        AttentionValue = p => p.HeadsPerKey >= 4 ? s_q4_K : better,
        AttentionOutput = _ => output,
        Down = p => p.IsFirstEighth ? better : null,
        Embedding = better,
        Output = s_q5_K,
        KeepsOutputOfEightExperts = true,
        IsVeryLow = true,
        NeedsImportance = true,
    };
}
