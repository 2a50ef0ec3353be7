using Nibble.Evaluation.Comparison.Charts;

namespace Nibble.Evaluation.Comparison.Writing;

/// <summary>The sections on quality: all figures in a table, then pictures of them.</summary>
internal sealed partial class HtmlReport
{
    private void Overview()
    {
        bool hasSpeed = _report.Base.Speed is not null;
        _html.Literal("<section id=\"figures\"><h2>All figures</h2><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"All figures\"><table class=\"figures\"><thead><tr><th scope=\"col\">variant</th><th scope=\"col\">size</th><th scope=\"col\" class=\"less\">bits per weight</th><th scope=\"col\">change of perplexity</th><th scope=\"col\">mean KL divergence, nats</th><th scope=\"col\">top choice changed</th>");
        if (hasSpeed) _html.Literal("<th scope=\"col\" class=\"less\">prompt tokens/s</th><th scope=\"col\" class=\"less\">generated tokens/s</th><th scope=\"col\" class=\"less\">memory</th>");
        _html.Literal("<th scope=\"col\" class=\"words\">verdict</th></tr></thead><tbody>");
        ComparedModel original = _report.Base;
        _html.Add($"<tr>{Name(original)}<td>{Figures.Bytes(original.Bytes)}</td><td class=\"less\">{Figures.Fixed(original.BitsPerWeight, 2)}</td><td>from {Figures.WithInterval(original.Perplexity)}</td><td></td><td></td>");
        if (hasSpeed) SpeedCells(original.Speed);
        _html.Literal("<td class=\"words\">the original</td></tr>");
        foreach (VariantReport v in _report.Variants)
        {
            DivergenceFigures d = v.Divergence;
            bool isChosen = v.Model.Name == _recommended;
            _html.Add($"<tr{new Html().Literal(isChosen ? " class=\"chosen\"" : "")}>{Name(v.Model)}<td>{Figures.Bytes(v.Model.Bytes)}</td><td class=\"less\">{Figures.Fixed(v.Model.BitsPerWeight, 2)}</td><td>{Figures.Change(d.PerplexityRatio)}</td><td>{Figures.WithInterval(d.MeanKld)}</td><td>{Figures.PercentWithInterval(d.TopChanged)}</td>");
            if (hasSpeed) SpeedCells(v.Model.Speed);
            _html.Add($"<td class=\"words\">{(isChosen ? "recommended" : Verdicts.Words(v.Verdict))}</td></tr>");
        }
        _html.Literal("</tbody></table></div></section>\n");
    }

    /// <summary>The head of a model's row; of a long name the whole is in the last lines of the page.</summary>
    private static Html Name(ComparedModel model) => new Html().Add($"<th scope=\"row\" title=\"{model.Name}\">{DotPlot.Short(model.Name, LongestInTable)}</th>");

    private void SpeedCells(SpeedFigures? speed)
    {
        if (speed is null) _html.Literal("<td class=\"less\"></td><td class=\"less\"></td><td class=\"less\"></td>");
        else _html.Add($"<td class=\"less\">{Figures.Rate(speed.Prompt.Median)}</td><td class=\"less\">{Figures.Rate(speed.Generation.Median)}</td><td class=\"less\">{Figures.Bytes(speed.RunBytes)}</td>");
    }

    private void SizeAndQuality()
    {
        if (_report.Variants.Count == 1) return; // one point is no picture
        Section("Size against quality", $"Down and to the left is better. The line joins the variants that no other beats in both, the Pareto front; an empty dot is beaten.{(_recommended is null ? "" : $" {_recommended} is recommended.")}");
        _html.Add($"<div class=\"wide\">{SizeQualityChart.Draw(_report, 1000, 430, _recommended, NextId())}</div><div class=\"narrow\">{SizeQualityChart.Draw(_report, 340, 330, _recommended, NextId())}</div></section>\n");
    }

    private void Predictions()
    {
        Section("Predictions", $"How each variant predicts {_report.Text.Name}, compared with {_report.Base.Name} token by token. Broken lines are the bounds of the recommendation.");
        _html.Literal("<div class=\"tiles\">");
        Tile("Perplexity", "How much worse the text is predicted.", new($"Change of perplexity from {_report.Base.Name}", "change of perplexity, %",
            [.. _report.Variants.Select(v => Row(v, 100 * (v.Divergence.PerplexityRatio.Value - 1), 100 * v.Divergence.PerplexityRatio.HalfWidth, Figures.Change(v.Divergence.PerplexityRatio), "perplexity"))])
        { Reference = 0, Bound = 100 * _bounds.MaxPerplexityIncrease, Most = MostPerCent });
        Tile("KL divergence", "Distance from what the original expects.", new($"Mean KL divergence from {_report.Base.Name}", "mean, nats (logarithmic)",
            [.. _report.Variants.Select(v => Row(v, v.Divergence.MeanKld.Value, v.Divergence.MeanKld.HalfWidth, Figures.WithInterval(v.Divergence.MeanKld), "mean KL divergence"))])
        { IsLogarithmic = true, Bound = _bounds.MaxMeanKld });
        Tile("Top choice changed", "How often another token is the likeliest.", new("Share of tokens for which another token is the likeliest", "share of tokens, %",
            [.. _report.Variants.Select(v => Row(v, 100 * v.Divergence.TopChanged.Value, 100 * v.Divergence.TopChanged.HalfWidth, Figures.PercentWithInterval(v.Divergence.TopChanged), "top choice changed"))])
        { Reference = 0 });
        _html.Literal("</div>");
        Percentiles();
        _html.Literal("</section>\n");
    }

    /// <summary>Where the axis of perplexity ends: a variant that more than doubles it is of no use, and where it is exactly does not matter.</summary>
    private double MostPerCent
    {
        get
        {
            const double Doubled = 100;
            double[] changes = [.. _report.Variants.Select(v => 100 * (v.Divergence.PerplexityRatio.Value - 1))];
            return changes.All(c => c <= Doubled) ? double.PositiveInfinity : Math.Max(2 * 100 * _bounds.MaxPerplexityIncrease, changes.Where(c => c <= Doubled).DefaultIfEmpty(0).Max());
        }
    }

    private void Percentiles()
    {
        _html.Literal("<details><summary>Perplexities, and how KL divergence is spread over tokens</summary><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Perplexities and percentiles of KL divergence\"><table class=\"figures\"><thead><tr><th scope=\"col\">variant</th><th scope=\"col\">perplexity</th><th scope=\"col\">KL divergence: median</th><th scope=\"col\">90th percentile</th><th scope=\"col\">99th</th><th scope=\"col\">99.9th</th><th scope=\"col\">largest</th><th scope=\"col\" class=\"long\">change of the right token’s probability, root mean square</th></tr></thead><tbody>");
        foreach (VariantReport v in _report.Variants)
        {
            DivergenceFigures d = v.Divergence;
            _html.Add($"<tr>{Name(v.Model)}<td>{Figures.WithInterval(v.Model.Perplexity)}</td><td>{Figures.ThreeDigits(d.MedianKld)}</td><td>{Figures.ThreeDigits(d.P90Kld)}</td><td>{Figures.ThreeDigits(d.P99Kld)}</td><td>{Figures.ThreeDigits(d.P999Kld)}</td><td>{Figures.ThreeDigits(d.MaxKld)}</td><td>{Figures.Percent(d.RmsProbabilityChange)}</td></tr>");
        }
        _html.Literal("</tbody></table></div></details>");
    }

    private DotRow Row(VariantReport v, double value, double half, string text, string quantity)
    {
        (double low, double high) = Scale.Bar(new(value, half / Estimate.Deviations));
        return new(v.Model.Name, value, low, high, text, $"{v.Model.Name}\n{quantity} {text}\n{Figures.Bytes(v.Model.Bytes)}") { IsAccent = v.Model.Name == _recommended };
    }
}
