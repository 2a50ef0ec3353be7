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

    public void Print(bool asMarkdown)
    {
        if (asMarkdown) PrintMarkdown();
        else Screen.Out.Write(Render());
    }

    private bool IsNumber(int column) => column >= textColumns && column < head.Length - textColumnsAtEnd;

    private Table Render()
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
