using System.Runtime.CompilerServices;

namespace Nibble.Formats;

public partial struct Q3_K
{
    /// <summary>As the scalar code, with a group of values in every lane.</summary>
    internal static void QuantizeLanes<TLanes>(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<Q3_K> blocks) where TLanes : unmanaged, ILanes<TLanes>
    {
        for (int b = 0; b < blocks.Length; b += LaneScratch.BlocksAtATime)
        {
            int count = Math.Min(LaneScratch.BlocksAtATime, blocks.Length - b), start = b * 256, values = count * 256;
            if (importance.IsEmpty) QuantizeTogether<TLanes>(source.Slice(start, values), blocks.Slice(b, count));
            else QuantizeTogether<TLanes>(source.Slice(start, values), importance.Slice(start, values), blocks.Slice(b, count));
        }
    }

    [SkipLocalsInit]
    private static void QuantizeTogether<TLanes>(ReadOnlySpan<float> values, Span<Q3_K> blocks) where TLanes : unmanaged, ILanes<TLanes>
    {
        LaneScratch<TLanes> lanes = new(stackalloc byte[LaneScratch.Bytes], 16);
        Span<float> scales = stackalloc float[LaneScratch.BlocksAtATime * 16];
        int groups = values.Length / 16;
        for (int first = 0; first < groups; first += TLanes.Count)
        {
            LaneGroups.Transpose(values, first, groups, 16, lanes.Values);
            ScaleSearch.SymmetricStepwise<TLanes>(lanes.Values, limit: 4, lanes.Trial, lanes.Weights).Store(scales[first..]);
        }
        Span<byte> quants = stackalloc byte[256];
        for (int b = 0; b < blocks.Length; b++)
        {
            ref Q3_K block = ref blocks[b];
            block.StoreScales(scales.Slice(b * 16, 16));
            float blockScale = (float)block.Scale;
            for (int g = 0; g < 16; g++)
            {
                ReadOnlySpan<float> group = values.Slice(b * 256 + g * 16, 16);
                float scale = blockScale * block.Groups.Scale(g);
                if (scale != 0) ScaleSearch.RoundSymmetric<Lanes8>(group, scale, limit: 4, quants.Slice(g * 16, 16));
                else ScaleSearch.SymmetricStepwise(group, limit: 4, quants.Slice(g * 16, 16)); // rare, so not worth keeping
            }
            block.StoreQuants(quants);
        }
    }

    [SkipLocalsInit]
    private static void QuantizeTogether<TLanes>(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, Span<Q3_K> blocks) where TLanes : unmanaged, ILanes<TLanes>
    {
        SymmetricGroups found = new(stackalloc float[SymmetricGroups.Floats(LaneScratch.BlocksAtATime * 16)]);
        SymmetricGroups ofBlocks = new(stackalloc float[SymmetricGroups.Floats(LaneScratch.BlocksAtATime)]);
        LaneScratch<Lanes8> lanes = new(stackalloc byte[LaneScratch.Bytes], 16);
        Span<float> meanSquares = stackalloc float[LaneScratch.BlocksAtATime * 16];
        ErrorWeights.MeanSquares<Lanes8>(values, 2, 16, meanSquares);
        found.Search<TLanes>(values, importance, meanSquares, 16, limit: 4);
        for (int first = 0; first < blocks.Length; first += Lanes8.Count)
        {
            LaneGroups.Transpose(found.Scales, first, blocks.Length, 16, lanes.Values);
            LaneGroups.Transpose(found.Weights, first, blocks.Length, 16, lanes.Weights);
            ofBlocks.Set(first, ScaleSearch.Symmetric<Lanes8>(lanes.Values, lanes.Weights, limit: 32, lanes.Trial));
        }
        Span<byte> quants = stackalloc byte[256], scaleQuants = stackalloc byte[16];
        for (int b = 0; b < blocks.Length; b++)
        {
            ref Q3_K block = ref blocks[b];
            block.Scale = (Half)ofBlocks.Scales[b];
            ofBlocks.Round(found.Scales.Slice(b * 16, 16), b, limit: 32, scaleQuants);
            block.Groups.Store(scaleQuants);
            float blockScale = (float)block.Scale;
            for (int g = 0; g < 16; g++)
            {
                ReadOnlySpan<float> group = values.Slice(b * 256 + g * 16, 16);
                float scale = blockScale * block.Groups.Scale(g);
                if (scale != 0) ScaleSearch.RoundSymmetric<Lanes8>(group, scale, limit: 4, quants.Slice(g * 16, 16));
                else found.Round(group, b * 16 + g, limit: 4, quants.Slice(g * 16, 16));
            }
            block.StoreQuants(quants);
        }
    }
}
