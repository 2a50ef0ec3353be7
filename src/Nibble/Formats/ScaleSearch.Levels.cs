namespace Nibble.Formats;

internal static partial class ScaleSearch
{
    /// <summary>
    /// Fits <c>value = scale * level</c>, where each value takes the nearest of <paramref name="levels"/> (ascending, the
    /// first of largest magnitude), and returns the scale: the best of those that bring the extreme value to within
    /// <paramref name="steps"/> of the first level, or to its mirror image.
    /// </summary>
    public static float ToLevels(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, ReadOnlySpan<sbyte> levels, int steps)
    {
        float extreme = Extreme(values);
        if (MathF.Abs(extreme) < Negligible) return 0;
        float scale = -extreme / levels[0];
        (float valueLevel, float levelLevel) = LevelProducts(values, weights, levels, 1 / scale);
        scale = levelLevel > 0 ? valueLevel / levelLevel : 0;
        float best = scale * valueLevel;
        for (int step = -steps; step <= steps; step++)
        {
            (valueLevel, levelLevel) = LevelProducts(values, weights, levels, (step + levels[0]) / extreme);
            if (levelLevel > 0 && valueLevel * valueLevel > best * levelLevel)
            {
                scale = valueLevel / levelLevel;
                best = scale * valueLevel;
            }
        }
        return scale;
    }

    /// <summary>The index of the level nearest to <paramref name="value"/>; the upper one of two equally near.</summary>
    public static int NearestLevel(ReadOnlySpan<sbyte> levels, float value)
    {
        if (value <= levels[0]) return 0;
        if (value >= levels[^1]) return levels.Length - 1;
        int below = 0, above = levels.Length - 1;
        while (above - below > 1)
        {
            int middle = (below + above) / 2;
            if (value < levels[middle]) above = middle;
            else below = middle;
        }
        return value - levels[above - 1] < levels[above] - value ? above - 1 : above;
    }

    private static (float ValueLevel, float LevelLevel) LevelProducts(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, ReadOnlySpan<sbyte> levels, float inverse)
    {
        float valueLevel = 0, levelLevel = 0;
        for (int i = 0; i < values.Length; i++)
        {
            float level = levels[NearestLevel(levels, inverse * values[i])];
            valueLevel += weights[i] * level * values[i];
            levelLevel += weights[i] * level * level;
        }
        return (valueLevel, levelLevel);
    }
}
