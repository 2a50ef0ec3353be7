using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

/// <summary>
/// Sixteen ascending levels of which each value takes the nearest. The nearest level is the first one plus the step to the next for
/// every midpoint that the value exceeds: no tables, no branches, so that values are done eight at a time. The order of operations is
/// the same on every processor.
/// </summary>
internal sealed class LevelSteps
{
    private const int Count = 16;

    private readonly float _first;
    private readonly float[] _midpoints = new float[Count - 1], _steps = new float[Count - 1];

    public LevelSteps(ReadOnlySpan<sbyte> levels)
    {
        _first = levels[0];
        for (int k = 1; k < Count; k++)
        {
            _midpoints[k - 1] = (levels[k - 1] + levels[k]) * 0.5f;
            _steps[k - 1] = levels[k] - levels[k - 1];
        }
    }

    /// <summary>
    /// The scale for which <c>scale * level</c> comes nearest to the values, by weighted square error: the best of
    /// <paramref name="candidates"/>, which are multiples of the one that brings the extreme value to level 127, each improved by a
    /// least-squares fit. It is negative where the levels fit better the other way round.
    /// </summary>
    /// <param name="values">A multiple of 32 of them.</param>
    /// <param name="weights">How much an error in each counts.</param>
    /// <param name="candidates">Multiples to try.</param>
    public float FitScale(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, ReadOnlySpan<float> candidates)
    {
        float extreme = MathF.Abs(ScaleSearch.Extreme(values));
        if (!(extreme >= ScaleSearch.Negligible) || !float.IsFinite(extreme)) return 0;
        float scale = 0, best = 0;
        foreach (float candidate in candidates)
        {
            (float valueLevel, float levelLevel) = Products(values, weights, candidate * 127 / extreme);
            if (levelLevel > 0 && valueLevel * valueLevel > best * levelLevel)
            {
                scale = valueLevel / levelLevel;
                best = scale * valueLevel;
            }
        }
        return scale;
    }

    /// <summary>The index 0 … 15 of the level nearest to each <c>inverse * value</c>; of a multiple of 32 values.</summary>
    public void Nearest(ReadOnlySpan<float> values, float inverse, Span<byte> indexes)
    {
        for (int i = 0; i < values.Length; i += 32)
        {
            Vector256<short> low = Vector256.Narrow(Indexes(values[i..], inverse), Indexes(values[(i + 8)..], inverse));
            Vector256<short> high = Vector256.Narrow(Indexes(values[(i + 16)..], inverse), Indexes(values[(i + 24)..], inverse));
            Vector256.Narrow(low, high).AsByte().CopyTo(indexes[i..]);
        }
    }

    private Vector256<int> Indexes(ReadOnlySpan<float> values, float inverse)
    {
        Vector256<float> value = Vector256.Create(values) * inverse;
        Vector256<int> index = default;
        foreach (float midpoint in _midpoints) index -= Vector256.GreaterThan(value, Vector256.Create(midpoint)).AsInt32(); // true is -1
        return index;
    }

    /// <summary>Σ weight · value · level and Σ weight · level², for the levels nearest to <c>inverse * value</c>.</summary>
    private (float ValueLevel, float LevelLevel) Products(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, float inverse)
    {
        Vector256<float> scale = Vector256.Create(inverse), valueLevel = default, levelLevel = default;
        for (int i = 0; i < values.Length; i += 32)
        {
            ReadOnlySpan<float> v = values.Slice(i, 32), w = weights.Slice(i, 32);
            Vector256<float> x0 = Vector256.Create(v), x1 = Vector256.Create(v[8..]), x2 = Vector256.Create(v[16..]), x3 = Vector256.Create(v[24..]);
            Vector256<float> y0 = x0 * scale, y1 = x1 * scale, y2 = x2 * scale, y3 = x3 * scale;
            Vector256<float> l0 = Vector256.Create(_first), l1 = l0, l2 = l0, l3 = l0;
            for (int k = 0; k < _midpoints.Length; k++)
            {
                Vector256<float> midpoint = Vector256.Create(_midpoints[k]), step = Vector256.Create(_steps[k]);
                l0 += Vector256.GreaterThan(y0, midpoint) & step;
                l1 += Vector256.GreaterThan(y1, midpoint) & step;
                l2 += Vector256.GreaterThan(y2, midpoint) & step;
                l3 += Vector256.GreaterThan(y3, midpoint) & step;
            }
            Add(x0, l0, Vector256.Create(w), ref valueLevel, ref levelLevel);
            Add(x1, l1, Vector256.Create(w[8..]), ref valueLevel, ref levelLevel);
            Add(x2, l2, Vector256.Create(w[16..]), ref valueLevel, ref levelLevel);
            Add(x3, l3, Vector256.Create(w[24..]), ref valueLevel, ref levelLevel);
        }
        return (Vector256.Sum(valueLevel), Vector256.Sum(levelLevel));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(Vector256<float> value, Vector256<float> level, Vector256<float> weight, ref Vector256<float> valueLevel, ref Vector256<float> levelLevel)
    {
        Vector256<float> weighted = weight * level;
        valueLevel += weighted * value;
        levelLevel += weighted * level;
    }
}
