using Spectre.Console;

namespace Nibble.Cli.Terminal;

/// <summary>A table of words and numbers, for the terminal or as Markdown.</summary>
/// <param name="title">What stands above it, or <see langword="null"/>.</param>
/// <param name="head">The names of the columns.</param>
/// <param name="textColumns">How many columns at the beginning hold text; the rest hold numbers, which end at the right.</param>
/// <param name="textColumnsAtEnd">How many at the end hold text, too.</param>
internal sealed class TextTable(string? title, string[] head, int textColumns, int textColumnsAtEnd = 0)
{
    private readonly List<string[]> _rows = [];

    public void Add(params string[] cells) => _rows.Add(cells);

    /// <summary>Columns of a terminal that it takes, if its first column is as wide as its head.</summary>
    public int LeastWidth => WidthOf(head.Length, Enumerable.Range(0, head.Length).Sum(c => Math.Max(head[c].Length, c == 0 ? 0 : _rows.Max(row => row[c].Length))));

    /// <summary>Columns of a terminal that a table takes: a space to both sides of each column, one between them, and the edges.</summary>
    /// <param name="columns">Its columns.</param>
    /// <param name="letters">Their widths together.</param>
    public static int WidthOf(int columns, int letters) => letters + 3 * columns + 1;

    /// <summary>Cuts the middle out of long cells of the first column, where files that differ most often differ least.</summary>
    /// <param name="room">Letters that may stay.</param>
    public void ShortenNames(int room)
    {
        foreach (string[] row in _rows) row[0] = Shortened(row[0], room);
    }

    /// <summary>A name with its middle left out where it is longer than <paramref name="room"/>.</summary>
    public static string Shortened(string name, int room) => name.Length <= room ? name : $"{name[..(room / 3)]}…{name[^(room - room / 3 - 1)..]}";

    public void Print(bool asMarkdown)
    {
        if (asMarkdown) PrintMarkdown();
        else Screen.Out.Write(Render());
    }

    private bool IsNumber(int column) => column >= textColumns && column < head.Length - textColumnsAtEnd;

    /// <summary>The table as the terminal draws it.</summary>
    internal Table Render()
    {
        Table table = new Table().Border(TableBorder.Simple);
        if (title is not null) table.Title(Markup.Escape(title));
        for (int c = 0; c < head.Length; c++) table.AddColumn(IsNumber(c) ? new TableColumn(head[c]).RightAligned() : new TableColumn(head[c]));
        foreach (string[] row in _rows) table.AddRow([.. row.Select(Markup.Escape)]);
        return table;
    }

    private void PrintMarkdown()
    {
        if (title is not null) Screen.Print($"**{title}**\n");
        Screen.Print($"| {string.Join(" | ", head)} |");
        Screen.Print($"| {string.Join(" | ", head.Select((_, c) => IsNumber(c) ? "--:" : "---"))} |");
        foreach (string[] row in _rows) Screen.Print($"| {string.Join(" | ", row)} |");
        Screen.Print("");
    }
}
