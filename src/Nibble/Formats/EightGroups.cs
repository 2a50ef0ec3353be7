namespace Nibble.Formats;

/// <summary>
/// What Q4_K and Q5_K store of a block of 256 values, and how they choose it: eight groups of 32 values, each with a scale and
/// a minimum, which are themselves stored as 6-bit multiples of a scale for the block.
/// </summary>
internal partial struct EightGroups
{
    public Half Scale, Minimum;
    public SixBitScales Groups;
    public Byte256 Quants;

    /// <summary>
    /// Rounds 256 values to quants 0 … limit. <paramref name="importance"/> is empty or has 256 values;
    /// <paramref name="candidates"/> are the scales to try when it is empty.
    /// </summary>
    public void Quantize(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, int limit, AffineCandidates candidates)
    {
        if (importance.IsEmpty) Search(values, limit, candidates);
        else Search(values, importance, limit);
        for (int g = 0; g < 8; g++)
            ScaleSearch.RoundAffine(values.Slice(g * 32, 32), (float)Scale * Groups.Scale(g), (float)Minimum * Groups.Minimum(g), limit, Quants[(g * 32)..(g * 32 + 32)]);
    }

    private void Search(ReadOnlySpan<float> values, int limit, AffineCandidates candidates)
    {
        Span<float> scales = stackalloc float[8], minimums = stackalloc float[8], weights = stackalloc float[32];
        for (int g = 0; g < 8; g++)
        {
            ReadOnlySpan<float> group = values.Slice(g * 32, 32);
            ErrorWeights.BySize(group, weights);
            scales[g] = ScaleSearch.Affine(group, weights, limit, candidates, Quants[(g * 32)..(g * 32 + 32)], out minimums[g]);
        }
        StoreScales(scales, minimums);
    }

    private void Search(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, int limit)
    {
        Span<float> scales = stackalloc float[8], minimums = stackalloc float[8], weights = stackalloc float[32], groupWeights = stackalloc float[8];
        Span<byte> scaleQuants = stackalloc byte[8], minimumQuants = stackalloc byte[8];
        float meanSquare = 2 * ErrorWeights.SumOfSquares(values) / 256;
        for (int g = 0; g < 8; g++)
        {
            ReadOnlySpan<float> group = values.Slice(g * 32, 32);
            groupWeights[g] = ErrorWeights.ByImportance(group, importance.Slice(g * 32, 32), meanSquare, weights);
            scales[g] = ScaleSearch.Affine(group, weights, limit, AffineCandidates.WithImportance, Quants[(g * 32)..(g * 32 + 32)], out minimums[g]);
        }
        Scale = (Half)ScaleSearch.Positive(scales, groupWeights, 63, scaleQuants);
        Minimum = (Half)ScaleSearch.Positive(minimums, groupWeights, 63, minimumQuants);
        Groups.Store(scaleQuants, minimumQuants);
    }

    /// <summary>Without importance the largest scale and the largest minimum become 63.</summary>
    private void StoreScales(ReadOnlySpan<float> scales, ReadOnlySpan<float> minimums)
    {
        float largestScale = 0, largestMinimum = 0;
        for (int g = 0; g < 8; g++)
        {
            if (scales[g] > largestScale) largestScale = scales[g];
            if (minimums[g] > largestMinimum) largestMinimum = minimums[g];
        }
        float inverseScale = largestScale > 0 ? 63 / largestScale : 0;
        float inverseMinimum = largestMinimum > 0 ? 63 / largestMinimum : 0;
        Span<byte> scaleQuants = stackalloc byte[8], minimumQuants = stackalloc byte[8];
        for (int g = 0; g < 8; g++)
        {
            scaleQuants[g] = Math.Min((byte)63, (byte)Rounding.ToEven(inverseScale * scales[g]));
            minimumQuants[g] = Math.Min((byte)63, (byte)Rounding.ToEven(inverseMinimum * minimums[g]));
        }
        Groups.Store(scaleQuants, minimumQuants);
        Scale = (Half)(largestScale / 63);
        Minimum = (Half)(largestMinimum / 63);
    }
}
