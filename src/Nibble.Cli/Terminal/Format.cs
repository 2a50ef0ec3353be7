using System.Globalization;
using System.Text;
using Nibble.Evaluation;
using Nibble.Evaluation.Comparison;
using Nibble.Files;

namespace Nibble.Cli.Terminal;

/// <summary>Numbers as people read them, the same in every language.</summary>
internal static class Format
{
    /// <inheritdoc cref="Figures.Bytes"/>
    public static string Bytes(long bytes) => Figures.Bytes(bytes);

    /// <summary>A number of weights: 1.1 B.</summary>
    public static string Count(long count) => count switch
    {
        < 10_000 => Invariant($"{count}"),
        < 1_000_000 => Invariant($"{count / 1e3:F1} k"),
        < 1_000_000_000 => Invariant($"{count / 1e6:F1} M"),
        _ => Invariant($"{count / 1e9:F2} B"),
    };

    public static string Percent(double fraction) => Figures.Percent(fraction);

    /// <summary>A relative error in three digits: 7.12 %.</summary>
    public static string Error(double relative) => relative switch
    {
        _ when !double.IsFinite(relative) => "none finite",
        0 => "0 %",
        < 0.01 => Invariant($"{relative * 100:F3} %"),
        < 0.1 => Invariant($"{relative * 100:F2} %"),
        _ => Invariant($"{relative * 100:F1} %"),
    };

    /// <summary>A cosine, with as many digits as tell it from 1.</summary>
    public static string Cosine(double cosine) => double.IsFinite(cosine) ? Invariant($"{cosine:F6}") : "";

    public static string Bits(double bits) => Invariant($"{bits:F2}");

    public static string Perplexity(PerplexityResult result) => result.Estimate.ToText("F2");

    public static string Seconds(TimeSpan time) => Invariant($"{time.TotalSeconds:F1} s");

    /// <summary>Sizes with the fastest-running first, as GGUF tools print them.</summary>
    public static string Shape(TensorInfo tensor) => string.Join(" x ", tensor.Dimensions);

    /// <summary>Text from a file on one line, with control characters, which a terminal would obey, as escapes.</summary>
    public static string Printable(string text)
    {
        if (!text.Any(char.IsControl)) return text;
        StringBuilder line = new(text.Length);
        foreach (char c in text)
        {
            line.Append(c switch
            {
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                _ when char.IsControl(c) => $"\\u{(int)c:x4}",
                _ => c.ToString(),
            });
        }
        return line.ToString();
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
