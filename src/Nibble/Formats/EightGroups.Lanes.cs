using System.Runtime.CompilerServices;

namespace Nibble.Formats;

internal partial struct EightGroups
{
    /// <summary>As the scalar code, for up to <see cref="LaneScratch.BlocksAtATime"/> blocks, with a group of values in every lane.</summary>
    [SkipLocalsInit]
    public static void Quantize<TLanes>(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, int limit, AffineCandidates candidates, Span<EightGroups> blocks)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        AffineGroups found = new(stackalloc float[AffineGroups.Floats(LaneScratch.BlocksAtATime * 8)]);
        if (importance.IsEmpty) Search<TLanes>(values, limit, candidates, found);
        else Search<TLanes>(values, importance, limit, found, blocks);
        for (int b = 0; b < blocks.Length; b++)
        {
            ref EightGroups block = ref blocks[b];
            if (importance.IsEmpty) block.StoreScales(found.Scales.Slice(b * 8, 8), found.Minimums.Slice(b * 8, 8));
            float blockScale = (float)block.Scale, blockMinimum = (float)block.Minimum;
            for (int g = 0; g < 8; g++)
            {
                Span<byte> quants = block.Quants[(g * 32)..(g * 32 + 32)];
                ReadOnlySpan<float> group = values.Slice(b * 256 + g * 32, 32);
                float scale = blockScale * block.Groups.Scale(g), minimum = blockMinimum * block.Groups.Minimum(g);
                if (scale != 0) ScaleSearch.RoundAffine<TLanes>(group, scale, minimum, limit, quants);
                else found.Round(group, b * 8 + g, limit, quants);
            }
        }
    }

    [SkipLocalsInit]
    private static void Search<TLanes>(ReadOnlySpan<float> values, int limit, AffineCandidates candidates, AffineGroups found) where TLanes : unmanaged, ILanes<TLanes>
    {
        LaneScratch<TLanes> group = new(stackalloc byte[LaneScratch.Bytes], 32);
        int groups = values.Length / 32;
        for (int first = 0; first < groups; first += TLanes.Count)
        {
            LaneGroups.Transpose(values, first, groups, 32, group.Values);
            ErrorWeights.BySize(group.Values, group.Weights);
            found.Set(first, ScaleSearch.Affine(group.Values, group.Weights, limit, candidates, group.Trial));
        }
    }

    [SkipLocalsInit]
    private static void Search<TLanes>(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, int limit, AffineGroups found, Span<EightGroups> blocks)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        Span<float> meanSquares = stackalloc float[LaneScratch.BlocksAtATime * 8];
        ErrorWeights.MeanSquares<Lanes8>(values, 2, 8, meanSquares);
        found.Search<TLanes>(values, importance, meanSquares, 32, limit);
        int groups = blocks.Length * 8;
        Span<float> scales = stackalloc float[LaneScratch.BlocksAtATime], minimums = stackalloc float[LaneScratch.BlocksAtATime];
        Span<byte> scaleQuants = stackalloc byte[LaneScratch.BlocksAtATime * 8], minimumQuants = stackalloc byte[LaneScratch.BlocksAtATime * 8];
        ScaleSearch.Positive<Lanes8>(found.Scales[..groups], found.Weights, 8, 63, scales, scaleQuants);
        ScaleSearch.Positive<Lanes8>(found.Minimums[..groups], found.Weights, 8, 63, minimums, minimumQuants);
        for (int b = 0; b < blocks.Length; b++)
        {
            blocks[b].Scale = (Half)scales[b];
            blocks[b].Minimum = (Half)minimums[b];
            blocks[b].Groups.Store(scaleQuants.Slice(b * 8, 8), minimumQuants.Slice(b * 8, 8));
        }
    }
}
