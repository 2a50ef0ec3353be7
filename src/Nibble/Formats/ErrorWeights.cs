using System.Diagnostics.CodeAnalysis;

namespace Nibble.Formats;

/// <summary>How much an error in each value of a group counts when its scale is chosen.</summary>
internal static partial class ErrorWeights
{
    /// <summary>Says that <paramref name="format"/> cannot do without importance.</summary>
    [DoesNotReturn]
    public static void ThrowMissing(string format) =>
        Throw.BadInput($"{format} has so few values to choose from that it needs to know which weights matter: give an importance matrix, or take a larger format such as IQ2_S or Q2_K");

    public static float SumOfSquares(ReadOnlySpan<float> values)
    {
        float sum = 0;
        foreach (float v in values) sum += v * v;
        return sum;
    }

    /// <summary>
    /// A column's importance times the size of its value, where values far below the typical one count as if they were
    /// as large: <c>importance * sqrt(meanSquare + value²)</c>. Returns the sum of the weights.
    /// </summary>
    public static float ByImportance(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, float meanSquare, Span<float> weights)
    {
        float sum = 0;
        for (int i = 0; i < weights.Length; i++)
        {
            weights[i] = importance[i] * MathF.Sqrt(meanSquare + values[i] * values[i]);
            sum += weights[i];
        }
        return sum;
    }

    /// <summary>Without importance: the square of the value.</summary>
    public static void BySquare(ReadOnlySpan<float> values, Span<float> weights)
    {
        for (int i = 0; i < weights.Length; i++) weights[i] = values[i] * values[i];
    }

    /// <summary>Without importance: the size of the value plus the typical size in its group.</summary>
    public static void BySize(ReadOnlySpan<float> values, Span<float> weights)
    {
        float typical = MathF.Sqrt(SumOfSquares(values) / values.Length);
        for (int i = 0; i < weights.Length; i++) weights[i] = typical + MathF.Abs(values[i]);
    }
}
