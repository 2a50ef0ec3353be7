using System.Text.Json.Nodes;
using Nibble.Evaluation.Comparison;
using Nibble.Evaluation.Comparison.Writing;

namespace Nibble.Tests.Evaluation.Comparison;

/// <summary>The page in a real browser. Where <c>NIBBLE_SCREENSHOTS</c> names a folder, pictures of it stay there.</summary>
public sealed class HtmlReportBrowserTests
{
    /// <summary>WCAG 2.2, success criterion 1.4.3: text of usual size.</summary>
    private const double LeastContrast = 4.5;

    /// <summary>The lowest contrast of any text in the page, computed by the browser from what it paints, with the text it was found at.</summary>
    private const string Contrast = """
        (() => {
          const canvas = document.createElement("canvas"); canvas.width = canvas.height = 1;
          const paint = canvas.getContext("2d", { willReadFrequently: true });
          const over = (color, below) => { paint.globalCompositeOperation = "copy"; paint.fillStyle = `rgb(${below})`; paint.fillRect(0, 0, 1, 1); paint.globalCompositeOperation = "source-over"; paint.fillStyle = color; paint.fillRect(0, 0, 1, 1); return [...paint.getImageData(0, 0, 1, 1).data].slice(0, 3); };
          const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
          const behind = e => e ? over(getComputedStyle(e).backgroundColor, behind(e.parentElement)) : [255, 255, 255];
          let worst = { ratio: 99, text: "" };
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          for (let node; (node = walker.nextNode());) {
            const e = node.parentElement;
            if (!node.data.trim() || ["SCRIPT", "STYLE", "TITLE", "title"].includes(e.tagName) || e.closest(".vh,.skip,[hidden]") || !e.getClientRects().length) continue;
            const style = getComputedStyle(e), back = behind(e), front = over(e.namespaceURI.includes("svg") ? style.fill : style.color, back);
            const [a, b] = [light(front), light(back)].sort((x, y) => y - x), ratio = (a + 0.05) / (b + 0.05);
            if (ratio < worst.ratio) worst = { ratio, text: node.data.trim().slice(0, 40) + " in " + e.tagName + "." + (e.getAttribute("class") ?? "") };
          }
          return worst;
        })()
        """;

    [Theory]
    [InlineData("wide-light", 1200, false)]
    [InlineData("wide-dark", 1200, true)]
    [InlineData("phone-light", 390, false)]
    [InlineData("phone-dark", 390, true)]
    public async Task It_is_readable_in_both_themes_and_widths_and_asks_for_nothing(string name, int width, bool isDark)
    {
        using TemporaryFolder folder = new();
        await using Browser page = await OpenAsync(folder, SampleReport.Create(), width, isDark);
        await page.EvaluateAsync("document.querySelectorAll('details').forEach(d => d.open = true)");

        foreach (int variant in (int[])[3, 6]) // the recommended one, and the one with the most colour
        {
            await page.EvaluateAsync($"document.querySelector('.picker input[value=\"{variant}\"]').click()");
            JsonNode worst = (await page.EvaluateAsync(Contrast))!;
            Assert.True((double)worst["ratio"]! >= LeastContrast, $"contrast {worst["ratio"]} of {worst["text"]}");
        }
        Assert.Equal(width, (int)(await page.EvaluateAsync("document.documentElement.scrollWidth"))!);
        JsonArray small = (await page.EvaluateAsync("[...document.querySelectorAll('body *')].filter(e => e.getClientRects().length && !e.closest('.vh,[hidden],.part') && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) && parseFloat(getComputedStyle(e).fontSize) * (e.ownerSVGElement ? e.ownerSVGElement.getBoundingClientRect().width / e.ownerSVGElement.viewBox.baseVal.width : 1) < 11).map(e => e.outerHTML)"))!.AsArray();
        Assert.True(small.Count == 0, $"text too small to read: {small.FirstOrDefault()}");
        Assert.Empty(page.Errors);
        Assert.All(page.Requests, request => Assert.StartsWith("file:", request, StringComparison.Ordinal));
        Assert.Single(page.Requests);
        await KeepAsync(name, page, wholePage: true);
    }

    /// <summary>Reports of other sizes than usual: one variant, twenty with long names, one that is worse than useless, no tasks, no speed.</summary>
    public static TheoryData<string, int, bool> Extremes => [.. ((string[])["one", "twenty", "useless", "plain"]).SelectMany(kind => new[] { (kind, 1200, false), (kind, 390, true) })];

    [Theory]
    [MemberData(nameof(Extremes))]
    public async Task It_stays_readable_whatever_is_compared(string kind, int width, bool isDark)
    {
        using TemporaryFolder folder = new();
        await using Browser page = await OpenAsync(folder, Extreme(kind), width, isDark);
        await KeepAsync($"{kind}-{width}", page, wholePage: true);
        Assert.Equal(width, (int)(await page.EvaluateAsync("document.documentElement.scrollWidth"))!);
        JsonNode worst = (await page.EvaluateAsync(Contrast))!;
        Assert.True((double)worst["ratio"]! >= LeastContrast, $"contrast {worst["ratio"]} of {worst["text"]}");
        // Nothing but tables, which scroll by themselves, reaches beyond the edge; labels of charts stay within them.
        JsonArray outside = (await page.EvaluateAsync("""
            [...document.querySelectorAll("main *, header *, footer *")].filter(e => e.getClientRects().length && !e.closest(".scroll, .vh, [hidden]") && (e.getBoundingClientRect().right > innerWidth + 1 || e.getBoundingClientRect().left < -1)).slice(0, 5).map(e => e.getBoundingClientRect().left + " to " + e.getBoundingClientRect().right + ": " + e.outerHTML.slice(0, 200))
            """))!.AsArray();
        Assert.True(outside.Count == 0, outside.ToJsonString());
        JsonArray ticks = (await page.EvaluateAsync("""
            [...document.querySelectorAll("svg.chart")].filter(s => s.getClientRects().length).flatMap(s => {
              const boxes = [...s.querySelectorAll("text.tick, text.axis-title")].map(t => ({ text: t.textContent, box: t.getBoundingClientRect() }));
              return boxes.flatMap((a, i) => boxes.slice(i + 1).filter(b => a.box.left < b.box.right && b.box.left < a.box.right && a.box.top < b.box.bottom - 2 && b.box.top < a.box.bottom - 2).map(b => a.text + " / " + b.text));
            })
            """))!.AsArray();
        Assert.True(ticks.Count == 0, ticks.ToJsonString());
        Assert.Empty(page.Errors);
    }

    [Fact]
    public async Task A_perplexity_that_is_far_off_leaves_room_to_tell_the_others_apart()
    {
        using TemporaryFolder folder = new();
        await using Browser page = await OpenAsync(folder, Extreme("useless"), 1200, isDark: false);
        // Of the first plot, of perplexity: all variants but the useless one are dots, and the first and the last of them stand apart.
        JsonNode places = (await page.EvaluateAsync("""
            (() => { const s = document.querySelector(".tiles svg"), dots = [...s.querySelectorAll("circle.dot")].map(d => d.getBoundingClientRect().x); return { dots: dots.length, arrows: s.querySelectorAll("path.dot").length, apart: Math.max(...dots) - Math.min(...dots) }; })()
            """))!;
        Assert.Equal((6, 1), ((int)places["dots"]!, (int)places["arrows"]!));
        Assert.True((double)places["apart"]! > 60, places.ToJsonString());
    }

    private static ComparisonReport Extreme(string kind)
    {
        ComparisonReport report = SampleReport.Create();
        switch (kind)
        {
            case "one":
                return Only(report, [report.Variants[3]]);
            case "twenty":
                return Only(report, [.. Enumerable.Range(0, 20).Select(i => report.Variants[i % 7] with
                {
                    Model = report.Variants[i % 7].Model with { Name = $"Some-Organization-Model-With-A-Long-Name-8B-Instruct-v{i:00}-{report.Variants[i % 7].Model.Name}", File = $"Some-Organization-Model-With-A-Long-Name-8B-Instruct-v{i:00}.gguf", Bytes = report.Variants[i % 7].Model.Bytes + 100_000_000L * (i / 7) },
                })]);
            case "useless":
                DivergenceFigures lost = SampleReport.Divergence(62_959, 5_420, 8.1, 0.999);
                return Only(report, [.. report.Variants.Select(v => v.Model.Name == "Q2_K" ? v with { Divergence = lost, Verdict = Verdict.Beyond } : v)]);
            default:
                report = Only(report, report.Variants);
                return report with { Tasks = [], Base = report.Base with { Speed = null }, Variants = [.. report.Variants.Select(v => v with { Tasks = [], Tensors = [], Model = v.Model with { Speed = null } })], Passage = null };
        }
    }

    private static ComparisonReport Only(ComparisonReport report, IReadOnlyList<VariantReport> variants)
    {
        Passage passage = report.Passage!;
        bool[] front = ParetoFront.Find([.. variants.Select(v => (v.Model.Bytes, v.Divergence.MeanKld.Value))]);
        return report with
        {
            Variants = [.. variants.Select((v, i) => v with { IsOnFront = front[i] })],
            Passage = passage with { Variants = [.. variants.Select((v, i) => passage.Variants[i % passage.Variants.Count] with { Name = v.Model.Name })] },
            Recommendation = RecommendationRule.Recommend(report.Base, variants, report.Text.Windows, new()),
        };
    }

    [Theory]
    [InlineData(1200)]
    [InlineData(390)]
    public async Task No_label_in_a_chart_covers_another(int width)
    {
        using TemporaryFolder folder = new();
        await using Browser page = await OpenAsync(folder, SampleReport.Create(), width, isDark: false);
        JsonArray covered = (await page.EvaluateAsync("""
            [...document.querySelectorAll("svg.chart")].filter(s => s.getClientRects().length).flatMap(s => {
              const texts = [...s.querySelectorAll("text")].map(t => ({ text: t.textContent, box: t.getBoundingClientRect() }));
              return texts.flatMap((a, i) => texts.slice(i + 1).filter(b => a.box.left < b.box.right - 1 && b.box.left < a.box.right - 1 && a.box.top < b.box.bottom - 4 && b.box.top < a.box.bottom - 4).map(b => a.text + " / " + b.text));
            })
            """))!.AsArray();
        Assert.True(covered.Count == 0, covered.ToJsonString());
    }

    [Fact]
    public async Task Pointing_at_a_token_shows_what_both_models_expected()
    {
        using TemporaryFolder folder = new();
        ComparisonReport report = SampleReport.Create();
        await using Browser page = await OpenAsync(folder, report, 1200, isDark: false);
        await page.EvaluateAsync("document.querySelector('.picker input[value=\"6\"]').click()");
        await page.PointAtAsync("[data-token='5']");
        string tip = (string)(await page.EvaluateAsync("document.getElementById('tip').innerText"))!;
        Passage passage = report.Passage!;
        Assert.Contains(report.Base.Name, tip, StringComparison.Ordinal);
        Assert.Contains("Q2_K", tip, StringComparison.Ordinal);
        foreach (Candidate candidate in passage.Base.Likeliest[5].Concat(passage.Variants[6].Expected.Likeliest[5]))
            Assert.Contains(passage.Pieces[candidate.Piece].Replace(' ', '␣').Replace('\n', '⏎'), tip, StringComparison.Ordinal);
        await KeepAsync("token", page, wholePage: false);
    }

    [Fact]
    public async Task Everything_is_reached_with_the_keyboard()
    {
        using TemporaryFolder folder = new();
        await using Browser page = await OpenAsync(folder, SampleReport.Create(), 1200, isDark: false);
        // From the first token: the arrow goes to the second, the tip follows, Escape closes it.
        await page.EvaluateAsync("document.querySelector('[data-token=\"0\"]').focus()");
        await page.PressAsync("ArrowRight");
        Assert.Equal("1", (string)(await page.EvaluateAsync("document.activeElement.dataset.token"))!);
        Assert.False((bool)(await page.EvaluateAsync("document.getElementById('tip').hidden"))!);
        Assert.Contains("expected", (string)(await page.EvaluateAsync("document.getElementById('say').textContent"))!, StringComparison.Ordinal);
        await page.PressAsync("Escape");
        Assert.True((bool)(await page.EvaluateAsync("document.getElementById('tip').hidden"))!);

        // Each chart, map and passage that is shown has one stop of the tab key.
        Assert.True((bool)(await page.EvaluateAsync("[...document.querySelectorAll('[data-roving]')].every(g => g.querySelectorAll('[tabindex=\"0\"]').length === 1)"))!);
        await page.EvaluateAsync("document.body.focus(); document.activeElement.blur(); window.getSelection().collapse(document.body, 0)");
        HashSet<string> reached = [];
        for (int i = 0; i < 60; i++)
        {
            await page.PressAsync("Tab");
            reached.Add((string)(await page.EvaluateAsync("(e => e.id || e.closest('svg')?.getAttribute('aria-labelledby') || e.closest('[data-roving]')?.className || e.name || e.className || e.tagName)(document.activeElement)"))!);
        }
        JsonArray charts = (await page.EvaluateAsync("[...document.querySelectorAll('svg.chart')].filter(s => s.getClientRects().length).map(s => s.getAttribute('aria-labelledby'))"))!.AsArray();
        Assert.Superset(new HashSet<string>([.. charts.Select(c => (string)c!), "theme", "passage", "tensors", "text"]), reached);
    }

    [Fact]
    public async Task Choosing_a_variant_and_a_theme_changes_the_page()
    {
        using TemporaryFolder folder = new();
        await using Browser page = await OpenAsync(folder, SampleReport.Create(), 1200, isDark: false);
        string before = (string)(await page.EvaluateAsync("getComputedStyle(document.body).backgroundColor"))!;
        await page.EvaluateAsync("document.getElementById('theme').click()");
        Assert.NotEqual(before, (string)(await page.EvaluateAsync("getComputedStyle(document.body).backgroundColor"))!);

        await page.EvaluateAsync("document.querySelector('input[name=tensors][value=\"6\"]').click()");
        Assert.Equal("6", (string)(await page.EvaluateAsync("document.querySelector('input[name=text]:checked').value"))!);
        Assert.Equal("6", (string)(await page.EvaluateAsync("[...document.querySelectorAll('[data-panel]')].filter(p => !p.hidden).map(p => p.dataset.panel).join()"))!);
    }

    [Fact]
    public async Task Text_from_files_never_becomes_markup()
    {
        const string Attack = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">\"'`&amp;{{7*7}}\u202e";
        using TemporaryFolder folder = new();
        ComparisonReport report = SampleReport.Create(Attack, [Attack, "<!--", "]]>", "\u0000\u0001", "\ud83d", "ok"], Attack);
        report = report with { Variants = [.. report.Variants.Select(v => v with { Model = v.Model with { Name = Attack + v.Model.Name }, Tensors = [.. v.Tensors.Select(t => t with { Name = t.Name + Attack })] })] };
        await using Browser page = await OpenAsync(folder, report, 1200, isDark: false);
        await page.PointAtAsync("[data-token='0']");
        Assert.EndsWith("what quantization cost", (string)(await page.EvaluateAsync("document.title"))!, StringComparison.Ordinal);
        Assert.Equal(0, (int)(await page.EvaluateAsync("document.querySelectorAll('img, script:not([type]):not(:last-of-type)').length"))!);
        Assert.Contains("<img src=x", (string)(await page.EvaluateAsync("document.getElementById('tip').textContent"))!, StringComparison.Ordinal);
        Assert.Empty(page.Errors);
        Assert.Single(page.Requests);
    }

    private static async Task<Browser> OpenAsync(TemporaryFolder folder, ComparisonReport report, int width, bool isDark)
    {
        ReportFiles.Write(report, folder.Path, new());
        return await Browser.OpenAsync(folder.At("report.html"), width, 800, isDark);
    }

    private static async Task KeepAsync(string name, Browser page, bool wholePage)
    {
        if (Environment.GetEnvironmentVariable("NIBBLE_SCREENSHOTS") is { Length: > 0 } folder)
            await File.WriteAllBytesAsync(Path.Combine(folder, $"{name}.png"), await page.ScreenshotAsync(wholePage));
    }
}
