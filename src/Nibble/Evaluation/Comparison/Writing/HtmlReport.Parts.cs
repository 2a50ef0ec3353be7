using Nibble.Evaluation.Comparison.Charts;
using Nibble.Evaluation.Tasks;

namespace Nibble.Evaluation.Comparison.Writing;

/// <summary>The sections on tasks, tensors, the text and speed.</summary>
internal sealed partial class HtmlReport
{
    /// <summary>The colour begins and is full at these divergences, in nats; the script has them too.</summary>
    private const double PaleNats = 0.001, FullNats = 1;

    private void Tasks()
    {
        if (_report.Tasks.Count == 0) return;
        Section("Tasks", $"Share of items answered right, as difference to {_report.Base.Name} on the same items. An empty dot is not told apart from the original: chance alone would flip as many answers (McNemar’s exact test, corrected for the number of tasks).");
        double[] extent = [.. _report.Variants.SelectMany(v => v.Tasks).SelectMany(t => (double[])[100 * t.Low, 100 * t.High])];
        foreach (IGrouping<TaskDomain, (int Index, ComparedTask Task)> domain in _report.Tasks.Index().Select(t => (t.Index, Task: t.Item)).GroupBy(t => t.Task.Domain).OrderBy(g => g.Key))
        {
            _html.Add($"<h4>{domain.Key.ToString()}</h4><div class=\"tiles\">");
            foreach ((int index, ComparedTask task) in domain)
            {
                Tile(task.Name, $"{_report.Base.Name}: {Figures.PercentWithInterval(task.Score)} of {task.Items} ({task.Metric})",
                    new($"{task.Name}: difference to {_report.Base.Name}", "difference, percentage points", [.. _report.Variants.Select(v => TaskRow(v, index))]) { Reference = 0, Extent = extent });
            }
            _html.Literal("</div>");
        }
        TaskTable();
        _html.Literal("</section>\n");
    }

    private DotRow TaskRow(VariantReport v, int index)
    {
        TaskDifference t = v.Tasks[index];
        bool differs = RecommendationRule.Distinguishable(v.Tasks, _bounds.Significance)[index];
        string tip = $"{v.Model.Name}\n{Figures.Points(t.Difference, t.Low, t.High)}\n{t.Lost} answers lost, {t.Gained} gained, p = {Figures.ThreeDigits(t.PValue)}\n{(differs ? "differs from the original" : "not told apart from the original")}";
        return new(v.Model.Name, 100 * t.Difference, 100 * t.Low, 100 * t.High, Figures.Signed(100 * t.Difference, 1), tip) { IsAccent = v.Model.Name == _recommended, IsHollow = !differs };
    }

    private void TaskTable()
    {
        _html.Literal("<details><summary>The same as a table</summary><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Tasks\"><table class=\"figures\"><thead><tr><th scope=\"col\">task</th><th scope=\"col\">variant</th><th scope=\"col\">share right</th><th scope=\"col\">difference (95 % interval)</th><th scope=\"col\">lost</th><th scope=\"col\">gained</th><th scope=\"col\">p</th></tr></thead><tbody>");
        foreach ((int index, ComparedTask task) in _report.Tasks.Index())
        {
            foreach (VariantReport v in _report.Variants)
            {
                TaskDifference t = v.Tasks[index];
                _html.Add($"<tr><th scope=\"row\">{task.Name}</th><td>{v.Model.Name}</td><td>{Figures.PercentWithInterval(t.Score)}</td><td>{Figures.Points(t.Difference, t.Low, t.High)}</td><td>{t.Lost}</td><td>{t.Gained}</td><td>{Figures.ThreeDigits(t.PValue)}</td></tr>");
            }
        }
        _html.Literal("</tbody></table></div></details>");
    }

    private void Tensors()
    {
        Section("Error by tensor and layer", "Root mean square error of each tensor, in per cent of the root mean square of its values. Layers go from left to right; colours mean the same for every variant.");
        Picker("tensors", FirstShown);
        HeatMap map = new(_report.Variants);
        foreach ((int index, VariantReport v) in _report.Variants.Index())
            _html.Add($"<div data-panel=\"{index}\"{new Html().Literal(index == FirstShown ? "" : " hidden")}>{map.Draw(v)}</div>");
        _html.Add($"<div class=\"legend\"><span>{map.Ends.Low}</span><span class=\"ramp\" aria-hidden=\"true\"></span><span>{map.Ends.High}</span></div></section>\n");
    }

    private void Text()
    {
        if (_report.Passage is not { } passage) return;
        Section("The text itself", $"A typical stretch, window {passage.Window} of {_report.Text.Windows}: in half of the windows the variants diverge less. Colour shows how far the variant’s expectation was from the original’s before each token came. Point at a token, tap it, or go through them with the arrow keys, to see both.");
        Picker("text", FirstShown);
        _html.Add($"<div class=\"legend\"><span>{Figures.Plain(PaleNats)}</span><span class=\"ramp\" aria-hidden=\"true\"></span><span>{FullNats} nat</span><span><span class=\"key\">underlined</span> another token was the likeliest</span></div>")
            .Add($"<p class=\"passage\" data-roving role=\"group\" aria-label=\"The text, token by token\"><span class=\"lead\">{passage.Lead}</span>");
        PassageVariant shown = passage.Variants[FirstShown];
        foreach ((int index, PassageToken token) in passage.Tokens.Index())
        {
            bool flips = shown.Expected.Likeliest[index][0].Piece != passage.Base.Likeliest[index][0].Piece;
            double shade = Math.Clamp(Math.Log10(Math.Max(shown.Divergence[index], 1e-9) / PaleNats) / Math.Log10(FullNats / PaleNats), 0, 1);
            _html.Add($"<span class=\"t{(flips ? " flip" : "")}{(token.Text.Length == 0 ? " part" : "")}\" style=\"--t:{shade}\" data-token=\"{index}\">{token.Text}</span>");
        }
        _html.Add($"</p><script type=\"application/json\" id=\"passage-data\" data-base=\"{_report.Base.Name}\">").Literal(ReportJson.Embed(passage)).Literal("</script></section>\n");
    }

    private void Speed()
    {
        (ComparedModel Model, SpeedFigures Speed)[] measured = [.. _report.Variants.Select(v => v.Model).Prepend(_report.Base).Where(m => m.Speed is not null).Select(m => (m, m.Speed!))];
        if (measured.Length == 0) return;
        SpeedFigures first = measured[0].Speed;
        Section("Speed and memory", $"Measured on {_report.SpeedOrigin}. Dots are medians, bars go from the slowest to the fastest repetition.");
        _html.Literal("<div class=\"tiles\">");
        Tile("Reading a prompt", $"{first.Prompt.Tokens} tokens at once.", new("Tokens per second when reading a prompt", "tokens/s", [.. measured.Select(m => RateRow(m.Model, m.Speed.Prompt))]) { Extent = [0] });
        Tile("Generating", $"{first.Generation.Tokens} tokens, one at a time.", new("Tokens per second when generating", "tokens/s", [.. measured.Select(m => RateRow(m.Model, m.Speed.Generation))]) { Extent = [0] });
        double unit = measured.Max(m => m.Speed.RunBytes) >= 1_000_000_000 ? 1e9 : 1e6;
        Tile("Memory", $"Weights, keys and values of {first.ContextLength} tokens, and room to work.", new("Memory to run with", unit == 1e9 ? "GB" : "MB",
            [.. measured.Select(m => new DotRow(m.Model.Name, m.Speed.RunBytes / unit, m.Speed.RunBytes / unit, m.Speed.RunBytes / unit, Figures.Bytes(m.Speed.RunBytes),
                $"{m.Model.Name}\n{Figures.Bytes(m.Speed.RunBytes)} to run with\n{Figures.Bytes(m.Speed.WeightBytes)} of it weights") { IsAccent = m.Model.Name == _recommended })])
        { Extent = [0] });
        _html.Literal("</div></section>\n");
    }

    private DotRow RateRow(ComparedModel model, RateFigures rate) =>
        new(model.Name, rate.Median, rate.Min, rate.Max, Figures.Rate(rate.Median), $"{model.Name}\n{Figures.Rate(rate.Median)} tokens/s\n{Figures.Rate(rate.Min)} to {Figures.Rate(rate.Max)}") { IsAccent = model.Name == _recommended };
}
