using System.Runtime.CompilerServices;

namespace Nibble.Formats;

public partial struct Q4_1
{
    /// <summary>As the scalar code, with a block in every lane.</summary>
    [SkipLocalsInit]
    internal static void QuantizeLanes<TLanes>(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<Q4_1> blocks) where TLanes : unmanaged, ILanes<TLanes>
    {
        AffineGroups found = new(stackalloc float[AffineGroups.Floats(LaneScratch.GroupsAtATime)]);
        Span<float> meanSquares = stackalloc float[LaneScratch.GroupsAtATime];
        meanSquares.Fill(ErrorWeights.SumOfSquares(source) / source.Length);
        Span<byte> quants = stackalloc byte[32];
        for (int first = 0; first < blocks.Length; first += LaneScratch.GroupsAtATime)
        {
            int count = Math.Min(LaneScratch.GroupsAtATime, blocks.Length - first);
            ReadOnlySpan<float> values = source.Slice(first * 32, count * 32);
            found.Search<TLanes>(values, importance.Slice(first * 32, count * 32), meanSquares, 32, limit: 15);
            for (int b = 0; b < count; b++)
            {
                found.Round(values.Slice(b * 32, 32), b, limit: 15, quants);
                blocks[first + b].Scale = (Half)found.Scales[b];
                blocks[first + b].Minimum = (Half)(-found.Minimums[b]);
                Nibbles.Pack(quants, half: 16, blocks[first + b].Quants);
            }
        }
    }
}
