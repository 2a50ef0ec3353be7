namespace Nibble.Formats;

internal static partial class ScaleSearch
{
    /// <summary>
    /// Fits <c>value = scale * (quant - limit)</c> with quants 0 … 2 * limit - 1 and returns the scale. The value of largest
    /// magnitude becomes quant 0 or close to it, so the scale has the opposite sign. Where <paramref name="weights"/> is empty
    /// every value weighs its square.
    /// </summary>
    public static float Symmetric(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, int limit, Span<byte> quants)
    {
        float extreme = Extreme(values);
        if (MathF.Abs(extreme) < Negligible)
        {
            quants.Clear();
            return 0;
        }
        float chosen = -limit / extreme;
        (float valueQuant, float quantQuant) = Products(values, weights, limit, chosen);
        float scale = quantQuant != 0 ? valueQuant / quantQuant : 0;
        float best = scale * valueQuant;
        for (int step = -9; step <= 9; step++)
        {
            if (step == 0) continue;
            float candidate = -(limit + 0.1f * step) / extreme;
            (valueQuant, quantQuant) = Products(values, weights, limit, candidate);
            if (quantQuant > 0 && valueQuant * valueQuant > best * quantQuant)
            {
                chosen = candidate;
                scale = valueQuant / quantQuant;
                best = scale * valueQuant;
            }
        }
        for (int i = 0; i < quants.Length; i++) quants[i] = (byte)(limit + Signed(chosen * values[i], limit));
        return scale;
    }

    /// <summary>The weighted sums of value * quant and quant * quant after rounding with the given inverse scale.</summary>
    private static (float ValueQuant, float QuantQuant) Products(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, int limit, float inverse)
    {
        float valueQuant = 0, quantQuant = 0;
        for (int i = 0; i < values.Length; i++)
        {
            float v = values[i];
            int quant = Signed(inverse * v, limit);
            float weight = weights.IsEmpty ? v * v : weights[i];
            valueQuant += weight * v * quant;
            quantQuant += weight * quant * quant;
        }
        return (valueQuant, quantQuant);
    }
}
