namespace Nibble.Evaluation.Divergence;

/// <summary>
/// The distribution of a quantity over tokens. Between two values it is interpolated linearly, as llama.cpp's tool and
/// NumPy do by default: the share q lies at place q · (count - 1) of the sorted values.
/// </summary>
public sealed class Percentiles
{
    private readonly double[] _sorted;

    internal Percentiles(IEnumerable<double> values) => _sorted = [.. values.Order()];

    /// <summary>The value that a share of all values, from 0 (the smallest) to 1 (the largest), is not above.</summary>
    public double At(double share)
    {
        double place = Math.Clamp(share, 0, 1) * (_sorted.Length - 1);
        int below = (int)place;
        double rest = place - below;
        return rest == 0 ? _sorted[below] : (1 - rest) * _sorted[below] + rest * _sorted[below + 1];
    }

    public double Minimum => _sorted[0];

    public double Median => At(0.5);

    public double Maximum => _sorted[^1];
}
