namespace Nibble.Formats;

internal static partial class ScaleSearch
{
    /// <summary>
    /// Fits <c>value = scale * level</c>, where each value takes the nearest of <paramref name="levels"/> (the first of which
    /// has the largest magnitude), and returns the scale: the best of those that bring the extreme value to within
    /// <paramref name="steps"/> of the first level, or to its mirror image.
    /// </summary>
    public static float ToLevels(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, LevelTable levels, int steps)
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

    private static (float ValueLevel, float LevelLevel) LevelProducts(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, LevelTable levels, float inverse)
    {
        float valueLevel = 0, levelLevel = 0;
        for (int i = 0; i < values.Length; i++)
        {
            float level = levels[levels.Nearest(inverse * values[i])];
            valueLevel += weights[i] * level * values[i];
            levelLevel += weights[i] * level * level;
        }
        return (valueLevel, levelLevel);
    }
}
