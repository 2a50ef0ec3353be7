namespace Nibble.Quantization.Importance;

/// <summary>The importance of one tensor's columns; a tensor of experts holds several matrices.</summary>
/// <param name="columns">Columns of a matrix.</param>
/// <param name="matrices">Matrices: experts, or 1.</param>
public sealed class ImportanceEntry(int columns, int matrices)
{
    // Single precision, as in the file: a collection that goes on from a file gives the same sums as one that was not interrupted.
    private readonly float[] _sums = new float[checked(columns * matrices)];
    private readonly double[] _window = new double[columns * matrices];
    private readonly long[] _counts = new long[matrices];

    public int Columns => columns;

    public int Matrices => matrices;

    /// <summary>Tokens that each matrix saw, <c>[matrices]</c>.</summary>
    public IReadOnlyList<long> Counts => _counts;

    /// <summary>The sum of squares of each column's inputs, <c>[matrices * columns]</c>.</summary>
    public IReadOnlyList<float> Sums => _sums;

    /// <summary>The mean square of each column's inputs, <c>[matrices * columns]</c>; 1 throughout for a matrix that saw no token.</summary>
    public float[] Means()
    {
        float[] means = new float[_sums.Length];
        for (int i = 0; i < means.Length; i++)
        {
            long count = _counts[i / columns];
            means[i] = count > 0 ? _sums[i] / count : 1;
        }
        return means;
    }

    /// <summary>Adds one token's input, <c>[columns]</c>, to the window at hand.</summary>
    internal void Observe(int matrix, ReadOnlySpan<float> input)
    {
        Span<double> sums = _window.AsSpan(matrix * columns, columns);
        for (int i = 0; i < sums.Length; i++) sums[i] += (double)input[i] * input[i];
        _counts[matrix]++;
    }

    /// <summary>Adds the window at hand to the sums.</summary>
    internal void EndWindow()
    {
        for (int i = 0; i < _sums.Length; i++) _sums[i] = (float)(_sums[i] + _window[i]);
        _window.AsSpan().Clear();
    }

    /// <summary>Adds sums that were collected elsewhere.</summary>
    internal void Add(int matrix, ReadOnlySpan<float> sums, long count)
    {
        for (int i = 0; i < columns; i++) _sums[matrix * columns + i] += sums[i];
        _counts[matrix] += count;
    }

    internal void Add(ImportanceEntry other)
    {
        for (int i = 0; i < _sums.Length; i++) _sums[i] += other._sums[i];
        for (int m = 0; m < _counts.Length; m++) _counts[m] += other._counts[m];
    }

    /// <summary>The same values as those of several matrices, as the older files keep those of experts, with one count for all.</summary>
    internal ImportanceEntry Split(int parts)
    {
        ImportanceEntry split = new(columns / parts, parts);
        for (int part = 0; part < parts; part++) split.Add(part, _sums.AsSpan(part * split.Columns, split.Columns), _counts[0]);
        return split;
    }

    internal ImportanceEntry Clone()
    {
        ImportanceEntry copy = new(columns, matrices);
        copy.Add(this);
        return copy;
    }
}
