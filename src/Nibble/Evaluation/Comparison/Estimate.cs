namespace Nibble.Evaluation.Comparison;

/// <summary>A measured value with its uncertainty.</summary>
/// <param name="Value">The value.</param>
/// <param name="Error">One standard error of it, in the same unit.</param>
public readonly record struct Estimate(double Value, double Error)
{
    /// <summary>Standard errors from the middle of a normal distribution to the ends of its middle 95 %.</summary>
    public const double Deviations = 1.959964;

    /// <summary>Half the width of the 95 % interval: what stands behind ± in reports.</summary>
    public double HalfWidth => Deviations * Error;

    /// <summary>The lower end of the 95 % interval.</summary>
    public double Low => Value - HalfWidth;

    /// <summary>The upper end of the 95 % interval.</summary>
    public double High => Value + HalfWidth;

    /// <summary>A share of independent cases, with the binomial standard error.</summary>
    /// <param name="hits">Cases that count.</param>
    /// <param name="cases">All cases, at least 1.</param>
    public static Estimate Share(long hits, long cases)
    {
        double share = (double)hits / cases;
        return new(share, Math.Sqrt(share * (1 - share) / cases));
    }
}
