using System.Runtime.CompilerServices;

namespace Nibble.Formats;

public partial struct Q4_0
{
    /// <summary>As the scalar code, with a block in every lane.</summary>
    [SkipLocalsInit]
    internal static void QuantizeLanes<TLanes>(ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<Q4_0> blocks) where TLanes : unmanaged, ILanes<TLanes>
    {
        SymmetricGroups found = new(stackalloc float[SymmetricGroups.Floats(LaneScratch.GroupsAtATime)]);
        Span<float> meanSquares = stackalloc float[LaneScratch.GroupsAtATime];
        meanSquares.Fill(ErrorWeights.SumOfSquares(source) / source.Length);
        Span<byte> quants = stackalloc byte[32];
        for (int first = 0; first < blocks.Length; first += LaneScratch.GroupsAtATime)
        {
            int count = Math.Min(LaneScratch.GroupsAtATime, blocks.Length - first);
            ReadOnlySpan<float> values = source.Slice(first * 32, count * 32);
            found.Search<TLanes>(values, importance.Slice(first * 32, count * 32), meanSquares, 32, limit: 8);
            for (int b = 0; b < count; b++)
            {
                found.Round(values.Slice(b * 32, 32), b, limit: 8, quants);
                blocks[first + b].Scale = (Half)found.Scales[b];
                Nibbles.Pack(quants, half: 16, blocks[first + b].Quants);
            }
        }
    }
}
