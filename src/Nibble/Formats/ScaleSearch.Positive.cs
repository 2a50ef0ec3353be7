namespace Nibble.Formats;

internal static partial class ScaleSearch
{
    /// <summary>
    /// Fits <c>value = scale * quant</c> with quants 0 … limit to values that are not negative (the scales or minimums of a
    /// block's groups) and returns the scale: first the best of nine scales, then at most five rounds that move one quant
    /// at a time.
    /// </summary>
    public static float Positive(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, int limit, Span<byte> quants)
    {
        float largest = 0;
        foreach (float v in values) largest = largest > v ? largest : v;
        if (largest < Negligible)
        {
            quants.Clear();
            return 0;
        }
        float inverse = BestInverse(values, weights, limit, largest);
        float valueQuant = 0, quantQuant = 0;
        for (int i = 0; i < values.Length; i++)
        {
            int quant = Math.Min(limit, Rounding.ToEven(inverse * values[i]));
            quants[i] = (byte)quant;
            float weight = weights[i];
            valueQuant += weight * values[i] * quant;
            quantQuant += weight * quant * quant;
        }
        bool changed = true;
        for (int round = 0; round < 5 && changed; round++)
        {
            changed = false;
            for (int i = 0; i < values.Length; i++)
            {
                float weight = weights[i];
                float othersValueQuant = valueQuant - weight * values[i] * quants[i];
                float othersQuantQuant = quantQuant - weight * quants[i] * quants[i];
                if (!(othersValueQuant > 0 && othersQuantQuant > 0)) continue;
                int quant = Math.Min(limit, Rounding.ToEven(values[i] * othersQuantQuant / othersValueQuant));
                if (quant == quants[i]) continue;
                othersValueQuant += weight * values[i] * quant;
                othersQuantQuant += weight * quant * quant;
                if (othersValueQuant * othersValueQuant * quantQuant > valueQuant * valueQuant * othersQuantQuant)
                {
                    quants[i] = (byte)quant;
                    valueQuant = othersValueQuant;
                    quantQuant = othersQuantQuant;
                    changed = true;
                }
            }
        }
        return quantQuant > 0 ? valueQuant / quantQuant : 0;
    }

    private static float BestInverse(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, int limit, float largest)
    {
        float best = limit / largest;
        float scale = 1 / best, bestError = 0;
        for (int i = 0; i < values.Length; i++)
        {
            float difference = values[i] - scale * (byte)Rounding.ToEven(best * values[i]);
            bestError += weights[i] * difference * difference;
        }
        for (int step = -4; step <= 4; step++)
        {
            if (step == 0) continue;
            float candidate = (0.1f * step + limit) / largest;
            scale = 1 / candidate;
            float error = 0;
            for (int i = 0; i < values.Length; i++)
            {
                float difference = values[i] - scale * Math.Min(limit, Rounding.ToEven(candidate * values[i]));
                error += weights[i] * difference * difference;
            }
            if (error < bestError)
            {
                bestError = error;
                best = candidate;
            }
        }
        return best;
    }
}
