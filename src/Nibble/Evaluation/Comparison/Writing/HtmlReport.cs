using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Nibble.Evaluation.Cards;
using Nibble.Evaluation.Comparison.Charts;

namespace Nibble.Evaluation.Comparison.Writing;

/// <summary>
/// The report as one page that needs nothing else: style, script and drawings are in it. Its policy lets the browser run only the one
/// script whose hash it names, and load nothing.
/// </summary>
internal sealed partial class HtmlReport
{
    private static readonly string s_style = Resource("report.css"), s_script = Resource("report.js");

    /// <summary>Letters of a name that have room on a button of a phone.</summary>
    private const int LongestInPicker = 32;

    /// <summary>Letters of a name that leave room for figures beside it.</summary>
    private const int LongestInTable = 24;

    private readonly ComparisonReport _report;
    private readonly RecommendationBounds _bounds;
    private readonly string? _recommended;
    private readonly Html _html = new();
    private int _drawings;

    private HtmlReport(ComparisonReport report, RecommendationBounds bounds)
    {
        _report = report;
        _bounds = bounds;
        _recommended = report.Recommendation.Variant;
    }

    /// <summary>The page.</summary>
    public static string Write(ComparisonReport report, RecommendationBounds bounds) => new HtmlReport(report, bounds).Write();

    private string Write()
    {
        string hash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(s_script)));
        _html.Literal("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">")
            .Add($"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{new Html().Literal(hash)}'; base-uri 'none'; form-action 'none'\">")
            .Add($"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\"><title>{_report.Base.Name}: what quantization cost</title>")
            .Literal("<style>").Literal(s_style).Literal("</style></head>\n<body><a class=\"skip\" href=\"#figures\">To the figures</a>\n");
        Header();
        _html.Literal("<main>\n");
        Overview();
        SizeAndQuality();
        Predictions();
        Tasks();
        Tensors();
        Text();
        Speed();
        _html.Literal("</main>\n");
        Footer();
        _html.Literal("<div id=\"tip\" aria-hidden=\"true\" hidden></div><div id=\"say\" class=\"vh\" aria-live=\"polite\"></div>\n<script>").Literal(s_script).Literal("</script>\n</body></html>\n");
        return _html.ToString();
    }

    private void Header()
    {
        MeasuredText text = _report.Text;
        _html.Add($"<header><div class=\"top\"><h1>{_report.Base.Name}: what quantization cost</h1><button id=\"theme\" type=\"button\" hidden>Dark</button></div>")
            .Add($"<p class=\"muted\">{(_report.Variants.Count == 1 ? "1 variant" : $"{_report.Variants.Count} variants")} against {_report.Base.File} ({Figures.Bytes(_report.Base.Bytes)}) on {text.Name}: {Grouped(text.Tokens)} tokens scored in {Grouped(text.Windows)} windows of {Grouped(text.ContextLength)}. ± and bars are 95 % intervals.</p>");
        Recommendation advice = _report.Recommendation;
        _html.Add($"<section class=\"advice{(advice.Kind == RecommendationKind.Recommended ? "" : " unsure")}\" aria-label=\"Recommendation\"><p class=\"what\">{Unbroken(advice.Headline)}</p><ul>");
        foreach (string reason in advice.Reasons) _html.Add($"<li>{Unbroken(reason)}</li>");
        _html.Literal("</ul></section></header>\n");
    }

    private void Footer()
    {
        _html.Literal("<footer><details><summary>How this was measured</summary><dl>")
            .Add($"<dt>Perplexity</dt><dd>e to the mean negative log-probability of each scored token. The text is cut into windows that do not overlap; in each the second half is scored, as llama.cpp’s tool does. {_report.Base.Name} has {Figures.WithInterval(_report.Base.Perplexity)}.</dd>")
            .Add($"<dt>KL divergence</dt><dd>Σ p ln(p / q) over the vocabulary, p being what {_report.Base.Name} expects and q the variant, in nats, for each scored token.</dd>")
            .Literal("<dt>Intervals</dt><dd>1.96 standard errors to either side, tokens counted as independent; changes of perplexity are paired token by token. Tasks: paired item by item, with McNemar’s exact test, and Holm’s correction over the tasks of a variant.</dd>")
            .Literal("<dt>Tensor error</dt><dd>Root mean square of the difference to the original’s values, divided by the root mean square of those.</dd>")
            .Add($"<dt>Speed</dt><dd>{_report.SpeedOrigin ?? "not measured"}. What an earlier run measured on the same machine is taken from it; nibble compare --fresh-speed measures it anew.</dd><dt>Text</dt><dd>{_report.Text.Name}, SHA-256 <code>{_report.Text.Sha256}</code></dd>");
        foreach (ComparedModel model in _report.Variants.Select(v => v.Model).Prepend(_report.Base))
            _html.Add($"<dt>{model.Name}</dt><dd>{model.File}, SHA-256 <code>{model.Sha256}</code></dd>");
        _html.Add($"</dl></details><p>Written {_report.Written.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)} UTC by Nibble {_report.Version}. The numbers are also in report.json, report.csv and report.md beside this page.</p></footer>\n");
    }

    /// <summary>A heading with a sentence that says what to see.</summary>
    private void Section(string title, string sentence) => _html.Add($"<section><h2>{title}</h2><p class=\"muted\">{sentence}</p>");

    /// <summary>A dot plot with its heading.</summary>
    private void Tile(string title, string sentence, DotPlot plot) =>
        _html.Add($"<div class=\"tile\"><h3>{title}</h3><p>{sentence}</p>{plot.Draw(NextId())}</div>");

    private string NextId() => string.Create(CultureInfo.InvariantCulture, $"drawing-{++_drawings}");

    private void Picker(string name, int chosen)
    {
        _html.Add($"<fieldset class=\"picker\"{new Html().Literal(_report.Variants.Count == 1 ? " hidden" : "")}><legend>Variant</legend>");
        foreach ((int index, VariantReport v) in _report.Variants.Index())
            _html.Add($"<label title=\"{v.Model.Name}\"><input type=\"radio\" name=\"{name}\" value=\"{index}\"{new Html().Literal(index == chosen ? " checked" : "")}>{DotPlot.Short(v.Model.Name, LongestInPicker)}</label>");
        _html.Literal("</fieldset>");
    }

    /// <summary>The variant that is shown first where one is to be chosen: the recommended one, else the one nearest to being it.</summary>
    private int FirstShown => Math.Max(0, _report.Variants.Index().FirstOrDefault(v => v.Item.Model.Name == _recommended, (_report.Variants.Count - 1, null!)).Index);

    /// <summary>Keeps a number on one line with its error and its unit.</summary>
    private static string Unbroken(string sentence) => sentence.Replace(" ± ", "\u00a0±\u00a0", StringComparison.Ordinal).Replace(" %", "\u00a0%", StringComparison.Ordinal);

    private static string Grouped(long number) => number.ToString("N0", CultureInfo.InvariantCulture).Replace(',', '\u202f');

    private static string Resource(string name)
    {
        using Stream stream = typeof(HtmlReport).Assembly.GetManifestResourceStream(name) ?? throw new InvalidOperationException($"the assembly lacks {name}");
        using StreamReader reader = new(stream);
        return reader.ReadToEnd();
    }
}
