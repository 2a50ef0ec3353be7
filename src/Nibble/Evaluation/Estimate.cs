using System.Globalization;
using Nibble.Evaluation.Statistics;

namespace Nibble.Evaluation;

/// <summary>A measured value with its uncertainty.</summary>
/// <param name="Value">The value.</param>
/// <param name="Error">One standard error; no number where a single value leaves it unknown.</param>
public readonly record struct Estimate(double Value, double Error)
{
    /// <summary>Standard errors from the middle of a normal distribution to the ends of its middle 95 %.</summary>
    public const double Deviations = 1.959964;

    /// <summary>Half the width of the 95 % interval.</summary>
    public double HalfWidth => Deviations * Error;

    /// <summary>The lower end of the 95 % interval.</summary>
    public double Low => Value - HalfWidth;

    /// <summary>The upper end of the 95 % interval.</summary>
    public double High => Value + HalfWidth;

    /// <summary>Value and error as <c>40.36 ± 1.83</c>, or the value alone where the error is unknown.</summary>
    /// <param name="format">The format of both numbers, such as <c>F2</c>.</param>
    /// <param name="factor">What both are multiplied by, as 100 for percentages.</param>
    /// <param name="valueFormat">The format of the value where it is another, such as one with a sign.</param>
    public string ToText(string format, double factor = 1, string? valueFormat = null)
    {
        string value = (factor * Value).ToString(valueFormat ?? format, CultureInfo.InvariantCulture);
        return double.IsFinite(Error) ? $"{value} ± {(factor * Error).ToString(format, CultureInfo.InvariantCulture)}" : value;
    }

    /// <summary>
    /// A share of independent cases, with the binomial standard error. Where all or none count that would be 0, which says far too much:
    /// there it is what makes <see cref="HalfWidth"/> reach as far as <see cref="WilsonInterval"/>.
    /// </summary>
    /// <param name="hits">Cases that count.</param>
    /// <param name="cases">All cases, at least 1.</param>
    public static Estimate Share(long hits, long cases)
    {
        double share = (double)hits / cases;
        if (hits == 0 || hits == cases) return new(share, WilsonInterval.Of(0, cases).Upper / Deviations);
        return new(share, Math.Sqrt(share * (1 - share) / (cases - 1)));
    }
}

/// <summary>Running sums of two quantities that are measured together, for their means, the errors of those and how they go together.</summary>
internal struct PairStatistics
{
    private double _x, _y, _xx, _yy, _xy;

    public long Count { get; private set; }

    public void Add(double x, double y)
    {
        _x += x;
        _y += y;
        _xx += x * x;
        _yy += y * y;
        _xy += x * y;
        Count++;
    }

    public readonly Estimate X => new(_x / Count, Math.Sqrt(Math.Max(0, VarianceX)));

    public readonly Estimate Y => new(_y / Count, Math.Sqrt(Math.Max(0, VarianceY)));

    /// <summary>The mean of x - y: errors that both share cancel.</summary>
    public readonly Estimate Difference => new((_x - _y) / Count, Math.Sqrt(Math.Max(0, VarianceX + VarianceY - 2 * Covariance)));

    /// <summary>From -1 to 1; 1 where both are the same number throughout, and no number for a single pair.</summary>
    public readonly double Correlation => Count < 2 ? double.NaN : VarianceX > 0 && VarianceY > 0 ? Covariance / Math.Sqrt(VarianceX * VarianceY) : 1;

    /// <summary>Variance of the mean of x.</summary>
    private readonly double VarianceX => OfMeans(_xx, _x, _x);

    private readonly double VarianceY => OfMeans(_yy, _y, _y);

    private readonly double Covariance => OfMeans(_xy, _x, _y);

    private readonly double OfMeans(double products, double a, double b) => Count < 2 ? double.NaN : (products / Count - a / Count * (b / Count)) / (Count - 1);
}
