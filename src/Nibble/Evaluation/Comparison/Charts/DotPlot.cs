using Nibble.Evaluation.Comparison.Writing;

namespace Nibble.Evaluation.Comparison.Charts;

/// <summary>One line of a dot plot.</summary>
/// <param name="Label">What it is about.</param>
/// <param name="Value">Where the dot is.</param>
/// <param name="Low">Where its range begins.</param>
/// <param name="High">Where its range ends.</param>
/// <param name="Text">The value in words, at the end of the line.</param>
/// <param name="Tip">What is told when it is pointed at; lines are parted by line breaks.</param>
internal sealed record DotRow(string Label, double Value, double Low, double High, string Text, string Tip)
{
    /// <summary>Whether it is the one to look at.</summary>
    public bool IsAccent { get; init; }

    /// <summary>Whether the dot is empty, which says that the value is not told apart from the reference.</summary>
    public bool IsHollow { get; init; }
}

/// <summary>Values with their ranges, one a line: dots, since lengths from zero would mean nothing on most of these axes.</summary>
/// <param name="Title">What is shown, for those who cannot see it.</param>
/// <param name="AxisTitle">The quantity and its unit.</param>
/// <param name="Rows">The lines.</param>
internal sealed record DotPlot(string Title, string AxisTitle, IReadOnlyList<DotRow> Rows)
{
    /// <summary>Pixels: as wide as a phone shows without shrinking it.</summary>
    public const double Width = 340;

    private const double RowHeight = 25, Top = 6, AxisHeight = 42;
    private const double LetterWidth = 8.4, TickWidth = 7;
    private const int LongestLabel = 11, MostTicks = 5;

    /// <summary>Whether equal ratios are equally long.</summary>
    public bool IsLogarithmic { get; init; }

    /// <summary>A value to set the others against, marked by a line; <see langword="null"/> for none.</summary>
    public double? Reference { get; init; }

    /// <summary>A bound that values should stay below, marked by a broken line; <see langword="null"/> for none.</summary>
    public double? Bound { get; init; }

    /// <summary>Where the axis ends at the latest: a value beyond it is drawn as an arrow there, so that one that is far off leaves room to tell the others apart.</summary>
    public double Most { get; init; } = double.PositiveInfinity;

    /// <summary>Values that the axis holds beside those shown, so that plots beside each other have the same.</summary>
    public IReadOnlyList<double> Extent { get; init; } = [];

    /// <summary>Draws it.</summary>
    /// <param name="id">Names this drawing in the page.</param>
    public Html Draw(string id)
    {
        double labelWidth = 10 + LetterWidth * Rows.Max(r => Short(r.Label).Length);
        double textWidth = Math.Max(40, 6.7 * Rows.Max(r => r.Text.Length) + 10), right = Width - textWidth, bottom = Top + RowHeight * Rows.Count, height = bottom + AxisHeight;
        IEnumerable<double> values = Rows.SelectMany(r => (double[])[r.Value, r.Low, r.High]).Concat(Extent).Where(v => v <= Most);
        if (Reference is { } origin) values = values.Append(origin);
        Scale x = IsLogarithmic ? Scale.Logarithmic(values, labelWidth + 8, right - 6) : Scale.Linear(values, labelWidth + 8, right - 6);
        Html svg = new();
        svg.Add($"<svg class=\"chart\" viewBox=\"0 0 {Width} {height}\" width=\"{Width}\" height=\"{height}\" role=\"group\" aria-labelledby=\"{id}\" data-roving><title id=\"{id}\">{Title}</title>");
        foreach (double tick in TicksOf(x))
            svg.Add($"<line class=\"grid\" x1=\"{x.At(tick)}\" x2=\"{x.At(tick)}\" y1=\"{Top}\" y2=\"{bottom}\"/><text class=\"tick\" x=\"{x.At(tick)}\" y=\"{bottom + 16}\" text-anchor=\"middle\">{Figures.Plain(tick)}</text>");
        if (Reference is { } reference) svg.Add($"<line class=\"axis\" x1=\"{x.At(reference)}\" x2=\"{x.At(reference)}\" y1=\"{Top}\" y2=\"{bottom}\"/>");
        if (Bound is { } bound && x.At(bound) < right - 6.5 && x.At(bound) > labelWidth + 8.5)
            svg.Add($"<line class=\"bound\" x1=\"{x.At(bound)}\" x2=\"{x.At(bound)}\" y1=\"{Top}\" y2=\"{bottom}\"/>");
        svg.Add($"<text class=\"axis-title\" x=\"{labelWidth}\" y=\"{height - 6}\">{AxisTitle}</text>");
        foreach ((int index, DotRow row) in Rows.Index())
        {
            double y = Top + RowHeight * (index + 0.5);
            double at = x.At(row.Value);
            Html dot = row.Value > Most
                ? new Html().Add($"<path class=\"dot\" d=\"M{at - 4} {y - 5}L{at + 4} {y}L{at - 4} {y + 5}Z\"/>")
                : new Html().Add($"<line class=\"range\" x1=\"{x.At(row.Low)}\" x2=\"{x.At(row.High)}\" y1=\"{y}\" y2=\"{y}\"/><circle class=\"dot\" cx=\"{at}\" cy=\"{y}\" r=\"{(row.IsAccent ? 5.5 : 4.5)}\"/>");
            svg.Add($"<g class=\"mark{(row.IsAccent ? " accent" : "")}{(row.IsHollow ? " hollow" : "")}\" role=\"img\" data-tip=\"{row.Tip}\" aria-label=\"{Sentence(row.Tip)}\">")
                .Add($"<rect class=\"hit\" x=\"0\" y=\"{y - RowHeight / 2}\" width=\"{Width}\" height=\"{RowHeight}\" rx=\"4\"/>")
                .Add($"<text class=\"label\" x=\"{labelWidth - 4}\" y=\"{y + 4}\" text-anchor=\"end\">{Short(row.Label)}</text>")
                .Add($"{dot}<text class=\"value\" x=\"{Width - 2}\" y=\"{y + 4}\" text-anchor=\"end\">{row.Text}</text></g>");
        }
        return svg.Literal("</svg>");
    }

    /// <summary>As many round values as have room for their labels.</summary>
    private static IReadOnlyList<double> TicksOf(Scale scale)
    {
        int most = MostTicks;
        while (most > 1 && Collide(scale, scale.Ticks(most))) most--;
        return scale.Ticks(most);
    }

    private static bool Collide(Scale scale, IReadOnlyList<double> ticks) =>
        ticks.Zip(ticks.Skip(1)).Any(pair => scale.At(pair.Second) - scale.At(pair.First) < TickWidth * (LettersOf(pair.First) + LettersOf(pair.Second) + 2) / 2);

    private static int LettersOf(double tick) => Figures.Plain(Math.Round(tick, 9)).Length;

    /// <summary>A name that has room beside a chart: of a long one the beginning and, as files of one model differ there most often, more of the end.</summary>
    internal static string Short(string name, int longest = LongestLabel) => name.Length <= longest ? name : $"{name[..(longest / 3)]}…{name[^(longest - longest / 3 - 1)..]}";

    /// <summary>The lines of a tip as one sentence, for those who hear it.</summary>
    internal static string Sentence(string tip) => tip.Replace("\n", ", ", StringComparison.Ordinal);
}
