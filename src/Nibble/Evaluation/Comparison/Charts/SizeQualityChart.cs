using Nibble.Evaluation.Comparison.Writing;

namespace Nibble.Evaluation.Comparison.Charts;

/// <summary>Size against distance from the base, with the Pareto front as a line.</summary>
internal static class SizeQualityChart
{
    private const double Left = 52, Right = 16, Top = 30, Bottom = 46, WideFrom = 500;
    private const int LongestLabel = 11, LongestLabelInWide = 22, FewVariants = 10;

    /// <param name="report">What to draw.</param>
    /// <param name="width">Pixels.</param>
    /// <param name="height">Pixels.</param>
    /// <param name="recommended">The variant to stress, or <see langword="null"/>.</param>
    /// <param name="id">Names this drawing in the page.</param>
    public static Html Draw(ComparisonReport report, double width, double height, string? recommended, string id)
    {
        IReadOnlyList<VariantReport> variants = report.Variants;
        double unit = variants.Max(v => v.Model.Bytes) >= 1_000_000_000 ? 1e9 : 1e6;
        Scale x = Scale.Linear(variants.Select(v => v.Model.Bytes / unit), Left + 8, width - Right - 40);
        Scale y = Scale.Logarithmic(variants.SelectMany(v => (double[])[v.Divergence.MeanKld.Value, v.Divergence.MeanKld.Low, v.Divergence.MeanKld.High]), height - Bottom, Top);
        Html svg = new();
        svg.Add($"<svg class=\"chart\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"group\" aria-labelledby=\"{id}\" data-roving><title id=\"{id}\">Size of each variant against its mean KL divergence from {report.Base.Name}; the line is the Pareto front</title>");
        foreach (double tick in y.Ticks(width > WideFrom ? 8 : 6))
            svg.Add($"<line class=\"grid\" x1=\"{Left}\" x2=\"{width - Right}\" y1=\"{y.At(tick)}\" y2=\"{y.At(tick)}\"/><text class=\"tick\" x=\"{Left - 8}\" y=\"{y.At(tick) + 4}\" text-anchor=\"end\">{Figures.Plain(tick)}</text>");
        foreach (double tick in x.Ticks(width > WideFrom ? 8 : 4))
            svg.Add($"<line class=\"axis\" x1=\"{x.At(tick)}\" x2=\"{x.At(tick)}\" y1=\"{height - Bottom}\" y2=\"{height - Bottom + 5}\"/><text class=\"tick\" x=\"{x.At(tick)}\" y=\"{height - Bottom + 19}\" text-anchor=\"middle\">{Figures.Plain(tick)}</text>");
        svg.Add($"<line class=\"axis\" x1=\"{Left}\" x2=\"{width - Right}\" y1=\"{height - Bottom}\" y2=\"{height - Bottom}\"/>");
        svg.Add($"<text class=\"axis-title\" x=\"{width - Right}\" y=\"{height - 8}\" text-anchor=\"end\">size of the file, {(unit == 1e9 ? "GB" : "MB")}</text>");
        svg.Add($"<text class=\"axis-title\" x=\"0\" y=\"14\">mean KL divergence, nats{(width > WideFrom ? " (logarithmic; lower is nearer to the original)" : " (log)")}</text>");

        VariantReport[] front = [.. variants.Where(v => v.IsOnFront && v.Divergence.MeanKld.Value > 0).OrderBy(v => v.Model.Bytes)];
        svg.Add($"<polyline class=\"front\" points=\"{string.Join(' ', front.Select(v => FormattableString.Invariant($"{x.At(v.Model.Bytes / unit):0.##},{y.At(v.Divergence.MeanKld.Value):0.##}")))}\"/>");
        LabelPlacement labels = new(Left, Top - 12, width, height - Bottom - 2);
        foreach (VariantReport v in variants) labels.Avoid(x.At(v.Model.Bytes / unit), y.At(Scale.Bar(v.Divergence.MeanKld).Low), y.At(Scale.Bar(v.Divergence.MeanKld).High));
        foreach (VariantReport v in variants) Mark(svg, v, x.At(v.Model.Bytes / unit), y, DotPlot.Short(v.Model.Name, width > WideFrom && variants.Count <= FewVariants ? LongestLabelInWide : LongestLabel), v.Model.Name == recommended, labels, report.Base);
        return svg.Literal("</svg>");
    }

    private static void Mark(Html svg, VariantReport v, double cx, Scale y, string label, bool isRecommended, LabelPlacement labels, ComparedModel original)
    {
        Estimate kld = v.Divergence.MeanKld;
        (double lowest, double highest) = Scale.Bar(kld);
        double cy = y.At(kld.Value), low = y.At(Math.Max(lowest, double.Epsilon)), high = y.At(highest);
        LabelPlace place = labels.Place(cx, cy, label);
        string tip = $"{v.Model.Name}\n{Figures.Bytes(v.Model.Bytes)}, {Figures.WholePercent((double)v.Model.Bytes / original.Bytes)} of {original.Name}, {Figures.Fixed(v.Model.BitsPerWeight, 2)} bits per weight\nmean KL divergence {Figures.WithInterval(kld)} nats\nperplexity {Figures.Change(v.Divergence.PerplexityRatio)}\n{(v.IsOnFront ? "on the Pareto front" : "another is smaller and nearer")}";
        svg.Add($"<g class=\"mark{(isRecommended ? " accent" : "")}{(v.IsOnFront ? "" : " hollow")}\" role=\"img\" data-tip=\"{tip}\" aria-label=\"{DotPlot.Sentence(tip)}\">")
            .Add($"<line class=\"range\" x1=\"{cx}\" x2=\"{cx}\" y1=\"{low}\" y2=\"{high}\"/><circle class=\"dot\" cx=\"{cx}\" cy=\"{cy}\" r=\"{(isRecommended ? 6.5 : 5)}\"/>")
            .Add($"<text class=\"label\" x=\"{place.X}\" y=\"{place.Y}\" text-anchor=\"{place.Anchor}\">{label}</text><rect class=\"hit\" x=\"{cx - 14}\" y=\"{cy - 14}\" width=\"28\" height=\"28\"/></g>");
    }
}
