namespace Nibble.Formats;

/// <summary>
/// How Q4_K and Q5_K choose their numbers: eight groups of 32 values, each with a scale and a minimum, which are themselves
/// stored as 6-bit multiples of a scale for the block.
/// </summary>
internal static class EightGroups
{
    /// <summary>
    /// Rounds 256 values to quants 0 … limit. <paramref name="importance"/> is empty or has 256 values;
    /// <paramref name="candidates"/> are the scales to try when it is empty.
    /// </summary>
    public static void Quantize(
        ReadOnlySpan<float> values, ReadOnlySpan<float> importance, int limit, AffineCandidates candidates,
        Span<byte> quants, out Half scale, out Half minimum, out SixBitScales groups)
    {
        Span<float> scales = stackalloc float[8], minimums = stackalloc float[8];
        Span<byte> scaleQuants = stackalloc byte[8], minimumQuants = stackalloc byte[8];
        if (importance.IsEmpty) Search(values, limit, candidates, quants, scales, minimums, scaleQuants, minimumQuants, out scale, out minimum);
        else Search(values, importance, limit, quants, scales, minimums, scaleQuants, minimumQuants, out scale, out minimum);
        groups = default;
        groups.Store(scaleQuants, minimumQuants);
        for (int g = 0; g < 8; g++)
            ScaleSearch.RoundAffine(values.Slice(g * 32, 32), (float)scale * groups.Scale(g), (float)minimum * groups.Minimum(g), limit, quants.Slice(g * 32, 32));
    }

    private static void Search(
        ReadOnlySpan<float> values, int limit, AffineCandidates candidates, Span<byte> quants, Span<float> scales, Span<float> minimums,
        Span<byte> scaleQuants, Span<byte> minimumQuants, out Half scale, out Half minimum)
    {
        Span<float> weights = stackalloc float[32];
        float largestScale = 0, largestMinimum = 0;
        for (int g = 0; g < 8; g++)
        {
            ReadOnlySpan<float> group = values.Slice(g * 32, 32);
            ErrorWeights.BySize(group, weights);
            scales[g] = ScaleSearch.Affine(group, weights, limit, candidates, quants.Slice(g * 32, 32), out minimums[g]);
            if (scales[g] > largestScale) largestScale = scales[g];
            if (minimums[g] > largestMinimum) largestMinimum = minimums[g];
        }
        float inverseScale = largestScale > 0 ? 63 / largestScale : 0;
        float inverseMinimum = largestMinimum > 0 ? 63 / largestMinimum : 0;
        for (int g = 0; g < 8; g++)
        {
            scaleQuants[g] = Math.Min((byte)63, (byte)Rounding.ToEven(inverseScale * scales[g]));
            minimumQuants[g] = Math.Min((byte)63, (byte)Rounding.ToEven(inverseMinimum * minimums[g]));
        }
        scale = (Half)(largestScale / 63);
        minimum = (Half)(largestMinimum / 63);
    }

    private static void Search(
        ReadOnlySpan<float> values, ReadOnlySpan<float> importance, int limit, Span<byte> quants, Span<float> scales, Span<float> minimums,
        Span<byte> scaleQuants, Span<byte> minimumQuants, out Half scale, out Half minimum)
    {
        Span<float> weights = stackalloc float[32], groupWeights = stackalloc float[8];
        float meanSquare = 2 * ErrorWeights.SumOfSquares(values) / 256;
        for (int g = 0; g < 8; g++)
        {
            ReadOnlySpan<float> group = values.Slice(g * 32, 32);
            groupWeights[g] = ErrorWeights.ByImportance(group, importance.Slice(g * 32, 32), meanSquare, weights);
            scales[g] = ScaleSearch.Affine(group, weights, limit, AffineCandidates.WithImportance, quants.Slice(g * 32, 32), out minimums[g]);
        }
        scale = (Half)ScaleSearch.Positive(scales, groupWeights, 63, scaleQuants);
        minimum = (Half)ScaleSearch.Positive(minimums, groupWeights, 63, minimumQuants);
    }
}
