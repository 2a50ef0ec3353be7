using System.Text;
using Nibble.Files;

namespace Nibble.Evaluation.Comparison.Writing;

/// <summary>Writes a report in its four forms.</summary>
public static class ReportFiles
{
    /// <summary>The files of a report in a folder: the page, Markdown, JSON and a table.</summary>
    public static IReadOnlyList<string> In(string folder) => [.. ((string[])["report.html", "report.md", "report.json", "report.csv"]).Select(name => Path.Combine(folder, name))];

    /// <summary>Writes all four, which appear together when all are complete, and replace those that were there.</summary>
    /// <param name="report">The report.</param>
    /// <param name="folder">A folder that is there.</param>
    /// <param name="bounds">The bounds that its recommendation was made with.</param>
    /// <exception cref="NibbleException">They cannot be written.</exception>
    public static void Write(ComparisonReport report, string folder, RecommendationBounds bounds)
    {
        ArgumentNullException.ThrowIfNull(report);
        string[] texts = [HtmlReport.Write(report, bounds), MarkdownReport.Write(report), ReportJson.Write(report), CsvReport.Write(report)];
        List<AtomicFile> files = [];
        try
        {
            foreach ((int index, string path) in In(folder).Index())
            {
                byte[] bytes = Encoding.UTF8.GetBytes(texts[index]);
                files.Add(new(path, bytes.Length));
                files[^1].Write(bytes);
            }
            AtomicFile.CommitAll(files);
        }
        finally
        {
            foreach (AtomicFile file in files) file.Dispose();
        }
    }
}
