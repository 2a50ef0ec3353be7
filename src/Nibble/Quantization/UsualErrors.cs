using Nibble.Formats;

namespace Nibble.Quantization;

/// <summary>
/// The relative errors that weights have in each format. Each is the larger of two measurements, both of 256 rows of 2,048 random
/// values without an importance matrix, or one that is the same for all columns: values from the normal distribution, and from
/// Student's with five degrees of freedom, whose tails are as heavy as those of trained weights with outliers. The weights of a
/// model come close to the first.
/// </summary>
internal static class UsualErrors
{
    /// <summary>How often the usual error is suspicious. An importance matrix, which trades errors between columns, stays far below.</summary>
    private const double Suspicious = 3;

    private static readonly Dictionary<string, double> s_errors = new()
    {
        ["BF16"] = 0.00166,
        ["F16"] = 0.000208,
        ["F32"] = 0,
        ["I2_S"] = 0.01, // of weights that are ternary already, which lose nothing; others lose all but their signs
        ["IQ1_M"] = 0.598,
        ["IQ1_S"] = 0.556,
        ["IQ2_S"] = 0.313,
        ["IQ2_XS"] = 0.328,
        ["IQ2_XXS"] = 0.386,
        ["IQ3_S"] = 0.188,
        ["IQ3_XXS"] = 0.242,
        ["IQ4_NL"] = 0.0888,
        ["IQ4_XS"] = 0.0897,
        ["K4_CB"] = 0.109,
        ["MXFP4"] = 0.127,
        ["NVFP4"] = 0.103,
        ["Q1_0"] = 0.676,
        ["Q2_0"] = 0.743,
        ["Q2_K"] = 0.333,
        ["Q3_K"] = 0.177,
        ["Q4_0"] = 0.108,
        ["Q4_1"] = 0.0899,
        ["Q4_K"] = 0.0829,
        ["Q5_0"] = 0.0538,
        ["Q5_1"] = 0.0435,
        ["Q5_K"] = 0.0419,
        ["Q6_K"] = 0.0215,
        ["Q8_0"] = 0.00678,
        ["TQ1_0"] = 0.854,
        ["TQ2_0"] = 0.854,
    };

    /// <summary>The usual relative error in a format.</summary>
    public static double Of(WeightFormat format) => s_errors[format.Name];

    /// <summary>
    /// The largest relative error that is not suspicious: three times the usual one, but at most half-way from that to 1, which is
    /// the error of a tensor of zeros.
    /// </summary>
    public static double LimitOf(WeightFormat format)
    {
        double usual = Of(format);
        return Math.Min(Suspicious * usual, (1 + usual) / 2);
    }
}
