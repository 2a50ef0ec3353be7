namespace Nibble.Formats;

/// <summary>
/// Chooses the scale (and minimum) of a group of values so that the weighted square error after rounding is small.
/// Each search rounds with a few candidate scales around the one that just fits the largest value, solves for the best
/// scale given those integers, and keeps the best. The order of operations is that of llama.cpp's quantizers: the
/// same input gives the same bytes.
/// </summary>
internal static partial class ScaleSearch
{
    /// <summary>A group whose values are all smaller is stored as zeros.</summary>
    public const float Negligible = 1e-15f;

    /// <summary>The first of the values of largest magnitude, with its sign.</summary>
    public static float Extreme(ReadOnlySpan<float> values)
    {
        float extreme = 0, largest = 0;
        foreach (float v in values)
        {
            float magnitude = MathF.Abs(v);
            if (magnitude > largest)
            {
                largest = magnitude;
                extreme = v;
            }
        }
        return extreme;
    }

    /// <summary>The smallest and the largest value.</summary>
    public static (float Lowest, float Highest) Range(ReadOnlySpan<float> values)
    {
        float lowest = float.MaxValue, highest = float.MinValue;
        foreach (float v in values)
        {
            if (v < lowest) lowest = v;
            if (v > highest) highest = v;
        }
        return (lowest, highest);
    }

    /// <summary>
    /// Rounds each value to the quant 0 … limit for which <c>scale * quant - minimum</c> is nearest; leaves the quants as
    /// they are where the scale is zero.
    /// </summary>
    public static void RoundAffine(ReadOnlySpan<float> values, float scale, float minimum, int limit, Span<byte> quants)
    {
        if (scale == 0) return;
        for (int i = 0; i < values.Length; i++) quants[i] = (byte)Unsigned((values[i] + minimum) / scale, limit);
    }

    /// <summary>
    /// Rounds each value to the quant 0 … 2 * limit - 1 for which <c>scale * (quant - limit)</c> is nearest; leaves the
    /// quants as they are where the scale is zero.
    /// </summary>
    public static void RoundSymmetric(ReadOnlySpan<float> values, float scale, int limit, Span<byte> quants)
    {
        if (scale == 0) return;
        for (int i = 0; i < values.Length; i++) quants[i] = (byte)(limit + Signed(values[i] / scale, limit));
    }

    /// <summary>The q in 0 … limit for which 2 * q + 1 is nearest to <c>value * inverse</c>.</summary>
    public static int RoundOdd(float value, float inverse, int limit) => Unsigned(0.5f * (inverse * value - 1), limit);

    /// <summary>The nearest of -limit … limit - 1.</summary>
    private static int Signed(float value, int limit) => Math.Max(-limit, Math.Min(limit - 1, Rounding.ToEven(value)));

    /// <summary>The nearest of 0 … limit.</summary>
    private static int Unsigned(float value, int limit) => Math.Max(0, Math.Min(limit, Rounding.ToEven(value)));
}
