using System.Diagnostics;
using System.Globalization;
using Nibble.Cli.Terminal;
using Nibble.Evaluation;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Nibble.Cli.Commands;

/// <summary>What one level costs.</summary>
internal sealed record TourRow(string Level, string Path, long Bytes, double BitsPerWeight, PerplexityResult Perplexity, double TokensPerSecond, string Text);

/// <summary>The table of the tour, which grows level by level: live with a progress bar on a terminal, else as plain lines.</summary>
internal sealed class TourTable(string model, int levels, bool isSilent)
{
    private const int BarWidth = 30;

    private readonly List<TourRow> _rows = [];
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private LiveDisplayContext? _live;

    /// <summary>Runs <paramref name="work"/>, which reports to this table, while it is shown.</summary>
    public void Show(Action work)
    {
        if (isSilent || !Screen.IsLive)
        {
            work();
            if (!isSilent) Screen.Out.Write(Render(null));
            return;
        }
        Screen.Out.Live(Render("starting")).Start(live =>
        {
            _live = live;
            work();
            live.UpdateTarget(Render(null));
            _live = null;
        });
    }

    /// <summary>Adds a measured level.</summary>
    public void Add(TourRow row)
    {
        _rows.Add(row);
        if (!isSilent && !Screen.IsLive)
            Screen.Tell($"{row.Level}: {Format.Bytes(row.Bytes)}, perplexity {Format.Perplexity(row.Perplexity)} ({_rows.Count} of {levels}, {ProgressDisplay.Duration(Left(_rows.Count))} left)");
        Report(0, "");
    }

    /// <summary>Shows how far the level at work has come, from 0 to 1.</summary>
    public void Report(double fraction, string text)
    {
        if (_live is null) return;
        double done = _rows.Count + fraction, all = done / levels;
        int filled = (int)(all * BarWidth);
        string left = done > 0.1 ? $", {ProgressDisplay.Duration(Left(done))} left" : "";
        _live.UpdateTarget(Render($"{new string('█', filled)}{new string('░', BarWidth - filled)} {all * 100:F0} %{left}  {text}"));
    }

    /// <summary>Prints the beginning of each level's text, and where the files are.</summary>
    public void WriteTexts(string folder, string prompt)
    {
        Screen.Print($"What each continues \"{prompt}\" with, always taking the likeliest token:");
        foreach (TourRow row in _rows) Screen.Print($"  {row.Level,-9}…{row.Text.ReplaceLineEndings(" ")}");
        Screen.Print("");
        TourRow usual = _rows.Find(row => row.Level == "Q4_K_M") ?? _rows[^1];
        Screen.Print($"The GGUF files are in {System.IO.Path.GetFullPath(folder)}; try: nibble run {usual.Path}");
    }

    public void WriteJson(string folder) => JsonOutput.Write(json =>
    {
        json.WriteStartObject();
        json.WriteString("folder", System.IO.Path.GetFullPath(folder));
        json.WriteStartArray("levels");
        foreach (TourRow row in _rows)
        {
            json.WriteStartObject();
            json.WriteString("level", row.Level);
            json.WriteString("file", row.Path);
            json.WriteNumber("bytes", row.Bytes);
            json.WriteNumber("bitsPerWeight", row.BitsPerWeight);
            json.WriteNumber("perplexity", row.Perplexity.Perplexity);
            json.WriteNumber("error", row.Perplexity.Error);
            json.WriteNumber("tokensPerSecond", row.TokensPerSecond);
            json.WriteString("text", row.Text);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    });

    private TimeSpan Left(double done) => _clock.Elapsed * ((levels - done) / done);

    private Rows Render(string? progress)
    {
        Table table = new Table().Border(TableBorder.Simple).Title(Markup.Escape(model)).AddColumn("level");
        foreach (string name in new[] { "size", "bits per weight", "perplexity", "difference", "tokens/s" }) table.AddColumn(new TableColumn(name).RightAligned());
        foreach (TourRow row in _rows)
        {
            double difference = row.Perplexity.Perplexity / _rows[0].Perplexity.Perplexity - 1;
            table.AddRow(row.Level, Format.Bytes(row.Bytes), Format.Bits(row.BitsPerWeight), Format.Perplexity(row.Perplexity),
                row == _rows[0] ? "" : string.Create(CultureInfo.InvariantCulture, $"{difference * 100:+0.00;-0.00} %"),
                string.Create(CultureInfo.InvariantCulture, $"{row.TokensPerSecond:F0}"));
        }
        IEnumerable<IRenderable> parts = progress is null ? [table] : [table, new Text(progress)];
        return new Rows(parts);
    }
}
