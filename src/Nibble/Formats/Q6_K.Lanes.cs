using System.Runtime.CompilerServices;

namespace Nibble.Formats;

public partial struct Q6_K
{
    /// <summary>As the scalar code, with a group of values in every lane.</summary>
    internal static void QuantizeLanes<TLanes>(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<Q6_K> blocks) where TLanes : unmanaged, ILanes<TLanes>
    {
        for (int b = 0; b < blocks.Length; b += LaneScratch.BlocksAtATime)
        {
            int count = Math.Min(LaneScratch.BlocksAtATime, blocks.Length - b), start = b * 256, values = count * 256;
            QuantizeTogether<TLanes>(source.Slice(start, values), importance.IsEmpty ? [] : importance.Slice(start, values), blocks.Slice(b, count));
        }
    }

    [SkipLocalsInit]
    private static void QuantizeTogether<TLanes>(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, Span<Q6_K> blocks) where TLanes : unmanaged, ILanes<TLanes>
    {
        SymmetricGroups found = new(stackalloc float[SymmetricGroups.Floats(LaneScratch.BlocksAtATime * 16)]);
        LaneScratch<TLanes> lanes = new(stackalloc byte[LaneScratch.Bytes], 16);
        int groups = values.Length / 16;
        for (int first = 0; first < groups; first += TLanes.Count)
        {
            LaneGroups.Transpose(values, first, groups, 16, lanes.Values);
            if (importance.IsEmpty) ErrorWeights.Squares(lanes.Values, lanes.Weights);
            else LaneGroups.Transpose(importance, first, groups, 16, lanes.Weights);
            found.Set(first, ScaleSearch.Symmetric<TLanes>(lanes.Values, lanes.Weights, limit: 32, lanes.Trial));
        }
        Span<byte> quants = stackalloc byte[256];
        for (int b = 0; b < blocks.Length; b++)
        {
            ref Q6_K block = ref blocks[b];
            if (!block.StoreScales(found.Scales.Slice(b * 16, 16))) continue;
            float blockScale = (float)block.Scale;
            for (int g = 0; g < 16; g++)
            {
                ReadOnlySpan<float> group = values.Slice(b * 256 + g * 16, 16);
                float scale = blockScale * block.Groups[g];
                if (scale != 0) ScaleSearch.RoundSymmetric<Lanes8>(group, scale, limit: 32, quants.Slice(g * 16, 16));
                else found.Round(group, b * 16 + g, limit: 32, quants.Slice(g * 16, 16));
            }
            block.StoreQuants(quants);
        }
    }
}
