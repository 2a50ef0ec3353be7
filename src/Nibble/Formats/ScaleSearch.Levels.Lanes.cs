using System.Runtime.CompilerServices;

namespace Nibble.Formats;

internal static partial class ScaleSearch
{
    /// <summary>The best scales of many groups of 32 values, of which every lane searches one.</summary>
    /// <param name="values">The groups one after the other.</param>
    /// <param name="importance">As many, or none.</param>
    /// <param name="meanSquares">With importance, for every group what counts as a typical square, with room for whole vectors.</param>
    /// <param name="levels">The levels to choose among.</param>
    /// <param name="steps">How many scales to try on each side.</param>
    /// <param name="scales">One per group, with room for whole vectors.</param>
    [SkipLocalsInit]
    public static void ToLevels<TLanes>(
        ReadOnlySpan<float> values, ReadOnlySpan<float> importance, ReadOnlySpan<float> meanSquares, LevelTable levels, int steps, Span<float> scales)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        LaneScratch<TLanes> group = new(stackalloc byte[LaneScratch.Bytes], 32);
        int groups = values.Length / 32;
        for (int first = 0; first < groups; first += TLanes.Count)
        {
            LaneGroups.Transpose(values, first, groups, 32, group.Values);
            if (importance.IsEmpty)
            {
                ErrorWeights.Squares(group.Values, group.Weights);
            }
            else
            {
                LaneGroups.Transpose(importance, first, groups, 32, group.Weights);
                ErrorWeights.ByImportance(group.Values, group.Weights, TLanes.Load(meanSquares[first..]));
            }
            ToLevels<TLanes>(group.Values, group.Weights, levels, steps).Store(scales[first..]);
        }
    }

    /// <summary>As the scalar search, for the group of every lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static TLanes ToLevels<TLanes>(ReadOnlySpan<TLanes> values, ReadOnlySpan<TLanes> weights, LevelTable levels, int steps)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        TLanes zero = TLanes.Create(0), extreme = Extreme(values, out _);
        TLanes scale = -extreme / TLanes.Create(levels[0]);
        (TLanes valueLevel, TLanes levelLevel) = LevelProducts(values, weights, levels, TLanes.Create(1) / scale);
        scale = TLanes.Choose(levelLevel > zero, valueLevel / levelLevel, zero);
        TLanes best = scale * valueLevel;
        for (int step = -steps; step <= steps; step++)
        {
            (valueLevel, levelLevel) = LevelProducts(values, weights, levels, TLanes.Create(step + levels[0]) / extreme);
            TLanes isBetter = levelLevel > zero & valueLevel * valueLevel > best * levelLevel;
            TLanes trial = valueLevel / levelLevel;
            scale = TLanes.Choose(isBetter, trial, scale);
            best = TLanes.Choose(isBetter, trial * valueLevel, best);
        }
        return TLanes.Choose(TLanes.Abs(extreme) < TLanes.Create(Negligible), zero, scale);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static (TLanes ValueLevel, TLanes LevelLevel) LevelProducts<TLanes>(
        ReadOnlySpan<TLanes> values, ReadOnlySpan<TLanes> weights, LevelTable levels, TLanes inverse) where TLanes : unmanaged, ILanes<TLanes>
    {
        TLanes valueLevel = TLanes.Create(0), levelLevel = TLanes.Create(0);
        for (int i = 0; i < values.Length; i++)
        {
            TLanes level = levels.NearestLevel(inverse * values[i]), weighed = weights[i] * level;
            valueLevel += weighed * values[i];
            levelLevel += weighed * level;
        }
        return (valueLevel, levelLevel);
    }
}
