using System.Runtime.CompilerServices;

namespace Nibble.Formats;

public partial struct IQ4_NL
{
    /// <summary>As the scalar code, with a block in every lane.</summary>
    [SkipLocalsInit]
    internal static void QuantizeLanes<TLanes>(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<IQ4_NL> blocks) where TLanes : unmanaged, ILanes<TLanes>
    {
        Span<float> meanSquares = stackalloc float[LaneScratch.GroupsAtATime], scales = stackalloc float[LaneScratch.GroupsAtATime];
        Span<byte> quants = stackalloc byte[32];
        for (int first = 0; first < blocks.Length; first += LaneScratch.GroupsAtATime)
        {
            int count = Math.Min(LaneScratch.GroupsAtATime, blocks.Length - first);
            ReadOnlySpan<float> values = source.Slice(first * 32, count * 32);
            ErrorWeights.SumsOfSquares<TLanes>(values, 32, meanSquares);
            foreach (ref float square in meanSquares) square *= 2f / 32;
            ScaleSearch.ToLevels<TLanes>(values, importance.IsEmpty ? [] : importance.Slice(first * 32, count * 32), meanSquares, LevelSearch, steps: 7, scales);
            for (int b = 0; b < count; b++)
            {
                float scale = scales[b];
                LevelSearch.Nearest<TLanes>(values.Slice(b * 32, 32), scale != 0 ? 1 / scale : 0, quants);
                blocks[first + b].Scale = (Half)scale;
                Nibbles.Pack(quants, half: 16, blocks[first + b].Quants);
            }
        }
    }
}
