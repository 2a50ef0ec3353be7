namespace Nibble.Formats;

/// <summary>
/// The scales that <see cref="ScaleSearch.Affine"/> tries: those that spread the group's range over
/// <c>limit + First + Step * i</c> intervals for i = 0 … Last. With <c>AbsoluteError</c> the weighted absolute error decides
/// instead of the square.
/// </summary>
internal readonly record struct AffineCandidates(float First, float Step, int Last, bool AbsoluteError = false)
{
    /// <summary>What every format uses when it knows the importance of columns.</summary>
    public static AffineCandidates WithImportance => new(-0.9f, 0.05f, 36);
}

internal static partial class ScaleSearch
{
    /// <summary>
    /// Fits <c>value = scale * quant - minimum</c> with quants 0 … limit and a minimum that is not negative; returns the scale.
    /// </summary>
    public static float Affine(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, int limit, AffineCandidates candidates, Span<byte> quants, out float minimum)
    {
        float lowest = values[0], highest = values[0];
        float sumWeights = weights[0], sumValues = sumWeights * values[0];
        for (int i = 1; i < values.Length; i++)
        {
            float v = values[i];
            if (v < lowest) lowest = v;
            if (v > highest) highest = v;
            sumWeights += weights[i];
            sumValues += weights[i] * v;
        }
        if (lowest > 0) lowest = 0;
        if (highest == lowest)
        {
            quants.Clear();
            minimum = -lowest;
            return 0;
        }
        float inverse = limit / (highest - lowest);
        float scale = 1 / inverse;
        for (int i = 0; i < values.Length; i++) quants[i] = (byte)Unsigned(inverse * (values[i] - lowest), limit);
        float bestError = Error(values, weights, quants, scale, lowest, candidates.AbsoluteError);

        Span<byte> trial = stackalloc byte[32];
        trial = trial[..values.Length];
        for (int candidate = 0; candidate <= candidates.Last; candidate++)
        {
            // `lowest` is the best found so far, not the group's own.
            inverse = (candidates.First + candidates.Step * candidate + limit) / (highest - lowest);
            float sumQuants = 0, sumSquares = 0, sumProducts = 0;
            for (int i = 0; i < values.Length; i++)
            {
                int quant = Unsigned(inverse * (values[i] - lowest), limit);
                trial[i] = (byte)quant;
                float weight = weights[i];
                sumQuants += weight * quant;
                sumSquares += weight * quant * quant;
                sumProducts += weight * quant * values[i];
            }
            float determinant = sumWeights * sumSquares - sumQuants * sumQuants;
            if (!(determinant > 0)) continue;
            float trialScale = (sumWeights * sumProducts - sumValues * sumQuants) / determinant;
            float trialLowest = (sumSquares * sumValues - sumQuants * sumProducts) / determinant;
            if (trialLowest > 0)
            {
                trialLowest = 0;
                trialScale = sumProducts / sumSquares;
            }
            float error = Error(values, weights, trial, trialScale, trialLowest, candidates.AbsoluteError);
            if (error < bestError)
            {
                trial.CopyTo(quants);
                bestError = error;
                scale = trialScale;
                lowest = trialLowest;
            }
        }
        minimum = -lowest;
        return scale;
    }

    private static float Error(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, ReadOnlySpan<byte> quants, float scale, float lowest, bool absolute)
    {
        float error = 0;
        for (int i = 0; i < values.Length; i++)
        {
            float difference = scale * quants[i] + lowest - values[i];
            error += weights[i] * (absolute ? MathF.Abs(difference) : difference * difference);
        }
        return error;
    }
}
