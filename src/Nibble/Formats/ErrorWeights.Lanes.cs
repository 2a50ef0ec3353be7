using System.Runtime.CompilerServices;

namespace Nibble.Formats;

internal static partial class ErrorWeights
{
    /// <summary>The sums of the squares of every <paramref name="size"/> values.</summary>
    /// <param name="values">Whole groups.</param>
    /// <param name="size">Values of a group, a multiple of 8.</param>
    /// <param name="sums">Room for as many whole vectors as the groups begin.</param>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void SumsOfSquares<TLanes>(ReadOnlySpan<float> values, int size, Span<float> sums) where TLanes : unmanaged, ILanes<TLanes>
    {
        Span<TLanes> columns = stackalloc TLanes[8];
        int groups = values.Length / size;
        for (int first = 0; first < groups; first += TLanes.Count)
        {
            TLanes sum = TLanes.Create(0);
            for (int column = 0; column < size; column += 8)
            {
                LaneGroups.Transpose(values[column..], first, groups, size, columns);
                foreach (TLanes value in columns) sum += value * value;
            }
            sum.Store(sums[first..]);
        }
    }

    /// <summary>For every group of a few blocks of 256 values the mean square of its block.</summary>
    /// <param name="values">Whole blocks, at most <see cref="LaneScratch.BlocksAtATime"/>.</param>
    /// <param name="factor">By which to multiply it.</param>
    /// <param name="groups">Groups of a block.</param>
    /// <param name="meanSquares">Room for the groups of as many blocks as may be treated together.</param>
    public static void MeanSquares<TLanes>(ReadOnlySpan<float> values, float factor, int groups, Span<float> meanSquares) where TLanes : unmanaged, ILanes<TLanes>
    {
        SumsOfSquares<TLanes>(values, 256, meanSquares);
        for (int b = values.Length / 256 - 1; b >= 0; b--) meanSquares.Slice(b * groups, groups).Fill(factor * meanSquares[b] / 256);
        // Lanes beyond the last group are computed too.
        meanSquares[(values.Length / 256 * groups)..].Clear();
    }

    /// <summary>As the scalar code, for the group of every lane; <paramref name="weights"/> holds the importance at first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static TLanes ByImportance<TLanes>(ReadOnlySpan<TLanes> values, Span<TLanes> weights, TLanes meanSquare) where TLanes : unmanaged, ILanes<TLanes>
    {
        TLanes sum = TLanes.Create(0);
        for (int i = 0; i < weights.Length; i++)
        {
            weights[i] *= TLanes.Sqrt(meanSquare + values[i] * values[i]);
            sum += weights[i];
        }
        return sum;
    }

    /// <summary>As the scalar code, for the group of every lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void BySize<TLanes>(ReadOnlySpan<TLanes> values, Span<TLanes> weights) where TLanes : unmanaged, ILanes<TLanes>
    {
        TLanes sum = TLanes.Create(0);
        for (int i = 0; i < values.Length; i++) sum += values[i] * values[i];
        TLanes typical = TLanes.Sqrt(sum / TLanes.Create(values.Length));
        for (int i = 0; i < values.Length; i++) weights[i] = typical + TLanes.Abs(values[i]);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Abs<TLanes>(ReadOnlySpan<TLanes> values, Span<TLanes> weights) where TLanes : unmanaged, ILanes<TLanes>
    {
        for (int i = 0; i < values.Length; i++) weights[i] = TLanes.Abs(values[i]);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Squares<TLanes>(ReadOnlySpan<TLanes> values, Span<TLanes> weights) where TLanes : unmanaged, ILanes<TLanes>
    {
        for (int i = 0; i < values.Length; i++) weights[i] = values[i] * values[i];
    }
}
