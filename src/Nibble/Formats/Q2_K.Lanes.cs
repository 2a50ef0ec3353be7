using System.Runtime.CompilerServices;

namespace Nibble.Formats;

public partial struct Q2_K
{
    /// <summary>As the scalar code, with a group of values in every lane.</summary>
    internal static void QuantizeLanes<TLanes>(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<Q2_K> blocks) where TLanes : unmanaged, ILanes<TLanes>
    {
        for (int b = 0; b < blocks.Length; b += LaneScratch.BlocksAtATime)
        {
            int count = Math.Min(LaneScratch.BlocksAtATime, blocks.Length - b), start = b * 256, values = count * 256;
            QuantizeTogether<TLanes>(source.Slice(start, values), importance.IsEmpty ? [] : importance.Slice(start, values), blocks.Slice(b, count));
        }
    }

    [SkipLocalsInit]
    private static void QuantizeTogether<TLanes>(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, Span<Q2_K> blocks) where TLanes : unmanaged, ILanes<TLanes>
    {
        AffineGroups found = new(stackalloc float[AffineGroups.Floats(LaneScratch.BlocksAtATime * 16)]);
        if (importance.IsEmpty) ChooseScales<TLanes>(values, found, blocks);
        else ChooseScales<TLanes>(values, importance, found, blocks);
        Span<byte> quants = stackalloc byte[256];
        for (int b = 0; b < blocks.Length; b++)
        {
            ref Q2_K block = ref blocks[b];
            float blockScale = (float)block.Scale, blockMinimum = (float)block.Minimum;
            for (int g = 0; g < 16; g++)
            {
                ReadOnlySpan<float> group = values.Slice(b * 256 + g * 16, 16);
                float scale = blockScale * (block.Groups[g] & 15), minimum = blockMinimum * (block.Groups[g] >> 4);
                if (scale != 0) ScaleSearch.RoundAffine<Lanes8>(group, scale, minimum, limit: 3, quants.Slice(g * 16, 16));
                else found.Round(group, b * 16 + g, limit: 3, quants.Slice(g * 16, 16));
            }
            TwoBits.Pack(quants, shift: 0, block.Quants);
        }
    }

    [SkipLocalsInit]
    private static void ChooseScales<TLanes>(ReadOnlySpan<float> values, AffineGroups found, Span<Q2_K> blocks) where TLanes : unmanaged, ILanes<TLanes>
    {
        LaneScratch<TLanes> group = new(stackalloc byte[LaneScratch.Bytes], 16);
        int groups = values.Length / 16;
        for (int first = 0; first < groups; first += TLanes.Count)
        {
            LaneGroups.Transpose(values, first, groups, 16, group.Values);
            ErrorWeights.Abs(group.Values, group.Weights);
            found.Set(first, ScaleSearch.Affine(group.Values, group.Weights, limit: 3, Candidates, group.Trial));
        }
        for (int b = 0; b < blocks.Length; b++) blocks[b].StoreScales(found.Scales.Slice(b * 16, 16), found.Minimums.Slice(b * 16, 16));
    }

    [SkipLocalsInit]
    private static void ChooseScales<TLanes>(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, AffineGroups found, Span<Q2_K> blocks) where TLanes : unmanaged, ILanes<TLanes>
    {
        Span<float> meanSquares = stackalloc float[LaneScratch.BlocksAtATime * 16];
        ErrorWeights.MeanSquares<Lanes8>(values, 1, 16, meanSquares);
        found.Search<TLanes>(values, importance, meanSquares, 16, limit: 3);
        int groups = blocks.Length * 16;
        Span<float> scales = stackalloc float[LaneScratch.BlocksAtATime], minimums = stackalloc float[LaneScratch.BlocksAtATime];
        Span<byte> scaleQuants = stackalloc byte[LaneScratch.BlocksAtATime * 16], minimumQuants = stackalloc byte[LaneScratch.BlocksAtATime * 16];
        ScaleSearch.Positive<Lanes8>(found.Scales[..groups], found.Weights, 16, 15, scales, scaleQuants);
        ScaleSearch.Positive<Lanes8>(found.Minimums[..groups], found.Weights, 16, 15, minimums, minimumQuants);
        for (int b = 0; b < blocks.Length; b++)
        {
            blocks[b].Scale = (Half)scales[b];
            blocks[b].Minimum = (Half)minimums[b];
            for (int g = 0; g < 16; g++) blocks[b].Groups[g] = (byte)(scaleQuants[b * 16 + g] | minimumQuants[b * 16 + g] << 4);
        }
    }
}
