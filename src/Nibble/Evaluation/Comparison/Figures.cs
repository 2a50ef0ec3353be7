using System.Globalization;

namespace Nibble.Evaluation.Comparison;

/// <summary>Numbers as people read them, the same in every language, with as many digits as their uncertainty leaves meaning to.</summary>
public static class Figures
{
    private const int MostDecimals = 7;

    /// <summary>A ratio of which the change has too many per cent to mean anything.</summary>
    private const double LargestInPercent = 11;

    /// <summary>Bytes in decimal units: 640.2 MB.</summary>
    public static string Bytes(long bytes) => bytes switch
    {
        < 1_000 => $"{bytes} B",
        < 1_000_000 => Invariant($"{bytes / 1e3:F1} kB"),
        < 1_000_000_000 => Invariant($"{bytes / 1e6:F1} MB"),
        _ => Invariant($"{bytes / 1e9:F2} GB"),
    };

    /// <summary>A fraction with one digit behind the point: 31.9 %.</summary>
    public static string Percent(double fraction) => Invariant($"{fraction * 100:F1} %");

    /// <summary>A fraction without digits behind the point: 32 %.</summary>
    public static string WholePercent(double fraction) => Invariant($"{fraction * 100:F0} %");

    /// <summary>A number in three digits: 0.00123, 1.23, 123.</summary>
    public static string ThreeDigits(double value) => Fixed(value, DecimalsFor(value, 3));

    /// <summary>Tokens per second.</summary>
    public static string Rate(double tokensPerSecond) => Fixed(tokensPerSecond, tokensPerSecond < 100 ? 1 : 0);

    /// <summary>A number with no more digits than it has: 0.05, 3.</summary>
    public static string Plain(double value)
    {
        string text = Math.Abs(value).ToString("0.######", CultureInfo.InvariantCulture);
        return value < 0 && text != "0" ? "−" + text : text;
    }

    /// <summary>A value with half the width of its 95 % interval, of which one digit is told, or two where the first is 1: 0.0312 ± 0.0014, 0.28 ± 0.02. Where it is unknown, none is told.</summary>
    public static string WithInterval(Estimate estimate) => WithInterval(estimate.Value, estimate.HalfWidth, "");

    /// <summary>A fraction as percentage with half the width of its 95 % interval: 4.71 ± 0.22 %.</summary>
    public static string PercentWithInterval(Estimate fraction) => WithInterval(100 * fraction.Value, 100 * fraction.HalfWidth, "") + " %";

    /// <summary>The change that a ratio means, with half the width of its 95 % interval: +1.12 ± 0.21 %; from eleven times on as a factor, ×63 ± 5.</summary>
    public static string Change(Estimate ratio) =>
        ratio.Value >= LargestInPercent ? "×" + WithInterval(ratio) : WithInterval(100 * (ratio.Value - 1), 100 * ratio.HalfWidth, "+") + " %";

    /// <summary>A difference of two shares in percentage points with its 95 % interval: −1.2 (−2.6 to +0.2) points.</summary>
    public static string Points(double difference, double low, double high) => $"{Signed(100 * difference, 1)} ({Signed(100 * low, 1)} to {Signed(100 * high, 1)}) points";

    /// <summary>A number with its sign, with a minus as wide as a plus.</summary>
    public static string Signed(double value, int decimals)
    {
        string text = Fixed(Math.Abs(value), decimals);
        bool isZero = text.All(c => c is '0' or '.');
        return isZero ? text : (value < 0 ? "−" : "+") + text;
    }

    /// <summary>A number with that many digits behind the point.</summary>
    public static string Fixed(double value, int decimals) => value.ToString("F" + decimals.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture).Replace('-', '−');

    private static string WithInterval(double value, double half, string plus)
    {
        double leading = half > 0 ? half / Math.Pow(10, Math.Floor(Math.Log10(half))) : 0;
        int decimals = half > 0 ? DecimalsFor(half, leading < 2 ? 2 : 1) : DecimalsFor(value, 3);
        string sign = value < 0 ? "−" : plus;
        string number = $"{sign}{Fixed(Math.Abs(value), decimals)}";
        return double.IsNaN(half) ? number : $"{number} ± {Fixed(half, decimals)}";
    }

    /// <summary>Digits behind the point that show <paramref name="digits"/> of a number.</summary>
    private static int DecimalsFor(double value, int digits)
    {
        if (value == 0 || !double.IsFinite(value)) return digits - 1;
        return Math.Clamp(digits - 1 - (int)Math.Floor(Math.Log10(Math.Abs(value))), 0, MostDecimals);
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
