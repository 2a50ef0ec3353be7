namespace Nibble.Formats;

/// <summary>
/// Exact weighted k-means in one dimension: the sixteen levels with the least square error that there is. Values are gathered in
/// bins an eighth of a level's unit wide, so that finding them takes the same short time for any number of values; the means are
/// those of the values themselves. The method is that of Ckmeans.1d.dp (Wang and Song, The R Journal 3/2, 2011), with the best
/// borders found by divide and conquer.
/// </summary>
internal sealed class LevelClusters
{
    private const int BinsPerUnit = 8, Range = 160, Bins = 2 * Range * BinsPerUnit, Levels = 16;

    /// <summary>Σ weight, Σ weight · value and Σ weight · value² of the values in the bins before.</summary>
    private readonly double[] _weights = new double[Bins + 1], _sums = new double[Bins + 1], _squares = new double[Bins + 1];

    /// <summary>The least error of the values in the bins before when they have so many levels, and where the last of these begins.</summary>
    private readonly double[][] _errors = Rows<double>();
    private readonly int[][] _starts = Rows<int>();

    public void Clear()
    {
        Array.Clear(_weights);
        Array.Clear(_sums);
        Array.Clear(_squares);
    }

    /// <summary>Adds the values of a block whose levels are multiples of <paramref name="scale"/>; without a scale they say nothing.</summary>
    public void Add(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, float scale)
    {
        if (scale == 0) return;
        float inverse = 1 / scale;
        for (int i = 0; i < values.Length; i++)
        {
            float value = values[i] * inverse;
            double weight = weights[i] * scale * scale; // an error in the level is an error scale times as large in the value
            if (!double.IsFinite(weight * value * value)) continue;
            int bin = (int)Math.Clamp((value + Range) * BinsPerUnit, 0, Bins - 1);
            _weights[bin + 1] += weight;
            _sums[bin + 1] += weight * value;
            _squares[bin + 1] += weight * value * value;
        }
    }

    /// <summary>Finds the levels, in ascending order and scaled so that the largest is 127.</summary>
    /// <returns>Whether there were values to find them from.</returns>
    public bool TryFind(Span<sbyte> levels)
    {
        for (int bin = 0; bin < Bins; bin++)
        {
            _weights[bin + 1] += _weights[bin];
            _sums[bin + 1] += _sums[bin];
            _squares[bin + 1] += _squares[bin];
        }
        if (!(_weights[Bins] > 0)) return false;
        for (int end = 0; end <= Bins; end++) _errors[0][end] = Error(0, end);
        for (int level = 1; level < Levels; level++) Divide(level, 0, Bins, 0, Bins);

        Span<double> centers = stackalloc double[Levels];
        for (int level = Levels - 1, end = Bins; level >= 0; level--)
        {
            int start = level == 0 ? 0 : _starts[level][end];
            double weight = _weights[end] - _weights[start];
            // A level that is not needed lies on the next one.
            centers[level] = weight > 0 ? (_sums[end] - _sums[start]) / weight : level == Levels - 1 ? 0 : centers[level + 1];
            end = start;
        }
        double largest = 0;
        foreach (double center in centers) largest = Math.Max(largest, Math.Abs(center));
        if (largest == 0) return false;
        for (int level = 0; level < Levels; level++) levels[level] = (sbyte)Math.Round(centers[level] * 127 / largest);
        levels.Sort();
        return true;
    }

    /// <summary>The error of the values in these bins when they become their mean.</summary>
    private double Error(int start, int end)
    {
        double weight = _weights[end] - _weights[start], sum = _sums[end] - _sums[start];
        return weight > 0 ? Math.Max(0, _squares[end] - _squares[start] - sum * sum / weight) : 0;
    }

    /// <summary>
    /// Finds where level number <paramref name="level"/> begins for every end from <paramref name="first"/> to <paramref name="last"/>:
    /// for the end in the middle by trying all starts, which bounds those of the ends on either side.
    /// </summary>
    private void Divide(int level, int first, int last, int lowest, int highest)
    {
        if (first > last) return;
        int middle = (first + last) / 2, best = lowest;
        double least = double.PositiveInfinity;
        for (int start = lowest; start <= Math.Min(middle, highest); start++)
        {
            double error = _errors[level - 1][start] + Error(start, middle);
            if (error < least) (least, best) = (error, start);
        }
        _errors[level][middle] = least;
        _starts[level][middle] = best;
        Divide(level, first, middle - 1, lowest, best);
        Divide(level, middle + 1, last, best, highest);
    }

    private static T[][] Rows<T>()
    {
        T[][] rows = new T[Levels][];
        for (int level = 0; level < Levels; level++) rows[level] = new T[Bins + 1];
        return rows;
    }
}
