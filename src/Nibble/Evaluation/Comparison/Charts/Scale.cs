namespace Nibble.Evaluation.Comparison.Charts;

/// <summary>Puts values where they belong along an axis, and chooses round values to label it with.</summary>
internal sealed class Scale
{
    private readonly bool _isLogarithmic;
    private readonly double _low, _high, _from, _to;

    private Scale(bool isLogarithmic, double low, double high, double from, double to)
    {
        (_isLogarithmic, _low, _high, _from, _to) = (isLogarithmic, low, high, from, to);
    }

    /// <summary>An axis on which equal differences are equally long.</summary>
    /// <param name="values">What it must hold; values that are no finite number are left out.</param>
    /// <param name="from">Where it begins, in pixels.</param>
    /// <param name="to">Where it ends.</param>
    public static Scale Linear(IEnumerable<double> values, double from, double to)
    {
        (double low, double high) = Range(values);
        if (low == high) (low, high) = (low - Math.Max(1e-9, Math.Abs(low) / 2), high + Math.Max(1e-9, Math.Abs(high) / 2));
        double margin = 0.04 * (high - low);
        return new(false, low - margin, high + margin, from, to);
    }

    /// <summary>An axis on which equal ratios are equally long; values must be above 0, others are left out.</summary>
    /// <inheritdoc cref="Linear"/>
    public static Scale Logarithmic(IEnumerable<double> values, double from, double to)
    {
        (double low, double high) = Range(values.Where(v => v > 0));
        if (low <= 0) (low, high) = (1e-3, 1);
        (low, high) = (Math.Log10(low), Math.Log10(high));
        double margin = Math.Max(0.15, 0.06 * (high - low));
        return new(true, low - margin, high + margin, from, to);
    }

    /// <summary>Where a value lies, in pixels; one beyond the axis lies at its end.</summary>
    public double At(double value)
    {
        double place = _isLogarithmic ? Math.Log10(Math.Max(value, double.Epsilon)) : value;
        return _from + (Math.Clamp(place, _low, _high) - _low) / (_high - _low) * (_to - _from);
    }

    /// <summary>The ends of the bar that shows an uncertainty; both at the value where it is unknown.</summary>
    public static (double Low, double High) Bar(Estimate estimate) =>
        double.IsFinite(estimate.HalfWidth) ? (estimate.Low, estimate.High) : (estimate.Value, estimate.Value);

    /// <summary>Round values within the axis.</summary>
    /// <param name="most">How many labels have room.</param>
    public IReadOnlyList<double> Ticks(int most) => _isLogarithmic ? LogarithmicTicks(most) : LinearTicks(most);

    private List<double> LinearTicks(int most)
    {
        double step = Math.Pow(10, Math.Floor(Math.Log10((_high - _low) / most)));
        foreach (int factor in (int[])[1, 2, 5, 10])
        {
            if ((_high - _low) / (step * factor) > most) continue;
            step *= factor;
            break;
        }
        List<double> ticks = [];
        for (double i = Math.Ceiling(_low / step); i * step <= _high; i++) ticks.Add(i * step);
        return ticks;
    }

    /// <summary>Powers of ten, with 2 and 5 of each between where there is room, and only some where there are too many.</summary>
    private List<double> LogarithmicTicks(int most)
    {
        int first = (int)Math.Floor(_low), last = (int)Math.Ceiling(_high);
        List<double> ticks = [];
        foreach (int[] factors in (int[][])[[1, 2, 5], [1, 3], [1]])
        {
            ticks = [.. Enumerable.Range(first, last - first + 1).SelectMany(power => factors.Select(f => f * Math.Pow(10, power))).Where(v => Math.Log10(v) >= _low && Math.Log10(v) <= _high)];
            if (ticks.Count <= most) return ticks;
        }
        int every = (ticks.Count + most - 1) / most;
        return [.. ticks.Where((_, i) => i % every == 0)];
    }

    private static (double Low, double High) Range(IEnumerable<double> values)
    {
        double[] finite = [.. values.Where(double.IsFinite)];
        return finite.Length == 0 ? (0, 0) : (finite.Min(), finite.Max());
    }
}
