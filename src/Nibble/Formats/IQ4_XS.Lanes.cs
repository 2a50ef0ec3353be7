using System.Runtime.CompilerServices;

namespace Nibble.Formats;

public partial struct IQ4_XS
{
    /// <summary>As the scalar code, with a group of values in every lane.</summary>
    [SkipLocalsInit]
    internal static void QuantizeLanes<TLanes>(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<IQ4_XS> blocks) where TLanes : unmanaged, ILanes<TLanes>
    {
        Span<float> meanSquares = stackalloc float[LaneScratch.GroupsAtATime], scales = stackalloc float[LaneScratch.GroupsAtATime];
        Span<byte> quants = stackalloc byte[256];
        for (int first = 0; first < blocks.Length; first += LaneScratch.BlocksAtATime)
        {
            int count = Math.Min(LaneScratch.BlocksAtATime, blocks.Length - first);
            ReadOnlySpan<float> values = source.Slice(first * 256, count * 256);
            ErrorWeights.SumsOfSquares<Lanes8>(values, 256, meanSquares);
            for (int b = count - 1; b >= 0; b--) meanSquares.Slice(b * 8, 8).Fill(meanSquares[b] * (2f / 256));
            meanSquares[(count * 8)..].Clear();
            ScaleSearch.ToLevels<TLanes>(values, importance.IsEmpty ? [] : importance.Slice(first * 256, count * 256), meanSquares, IQ4_NL.LevelSearch, steps: 7, scales);
            for (int b = 0; b < count; b++)
            {
                Span<float> steps = scales.Slice(b * 8, 8);
                blocks[first + b].StoreScales(steps);
                for (int g = 0; g < 8; g++)
                    IQ4_NL.LevelSearch.Nearest<TLanes>(values.Slice(b * 256 + g * 32, 32), steps[g] != 0 ? 1 / steps[g] : 0, quants.Slice(g * 32, 32));
                Nibbles.Pack(quants, half: 16, blocks[first + b].Quants);
            }
        }
    }
}
