using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Nibble.Evaluation.Tasks.Data;

/// <summary>The files that tasks' data come in.</summary>
internal static class DataFile
{
    private const long LargestFile = 1L << 30;

    /// <summary>Reads JSON Lines: an object a line; empty lines do not count.</summary>
    /// <exception cref="NibbleException">It cannot be read, or a line is no JSON object, or there is none.</exception>
    public static IReadOnlyList<T> ReadJsonLines<T>(string path, Func<TaskRow, T> read)
    {
        List<T> items = [];
        int line = 0;
        foreach (string text in ReadText(path).Split('\n'))
        {
            line++;
            if (string.IsNullOrWhiteSpace(text)) continue;
            JsonDocument document;
            try
            {
                document = JsonDocument.Parse(text);
            }
            catch (JsonException e)
            {
                throw new NibbleException($"{path}: line {line}: is not valid JSON (at byte {e.BytePositionInLine + 1}); each line must be one JSON object", e);
            }
            using (document)
            {
                if (document.RootElement.ValueKind != JsonValueKind.Object) Throw.BadFile(path, $"line {line}: is no JSON object; each line must be one");
                items.Add(read(new(path, line, document.RootElement)));
            }
        }
        return items.Count > 0 ? items : Throw.BadFile<IReadOnlyList<T>>(path, "has no items; it must hold a JSON object on each line");
    }

    /// <summary>
    /// Reads comma-separated values (RFC 4180), each record with the number of its first line. A quotation mark inside a field in quotation
    /// marks should be doubled. Published files have some that are not: they end the field only where a comma or the end of the line follows,
    /// and two of them where such a comma is followed by another field in quotation marks or a last one of one character.
    /// </summary>
    public static IEnumerable<(int Line, string[] Fields)> ReadCsv(string path)
    {
        string text = ReadText(path);
        List<string> fields = [];
        StringBuilder field = new();
        int line = 1, begun = 1;
        bool isQuoted = false;
        for (int i = 0; i <= text.Length; i++)
        {
            char c = i < text.Length ? text[i] : '\n';
            if (isQuoted && i < text.Length)
            {
                if (c == '\n') line++;
                if (c != '"')
                {
                    field.Append(c);
                    continue;
                }
                int after = i + 1;
                while (after < text.Length && text[after] == '"') after++;
                int run = after - i;
                isQuoted = !(run % 2 == 1 ? EndsField(text, after) : EndsRecordOrQuotes(text, after));
                field.Append('"', isQuoted ? (run + 1) / 2 : run / 2); // doubled ones, and of a run that ends the field without the last
                i = after - 1;
                continue;
            }
            if (isQuoted) Throw.BadFile(path, $"line {begun}: a quotation mark is not closed");
            switch (c)
            {
                case '"' when field.Length == 0:
                    isQuoted = true;
                    break;
                case ',':
                    EndField();
                    break;
                case '\n':
                    bool isEmpty = fields.Count == 0 && field.Length == 0;
                    EndField();
                    if (!isEmpty) yield return (begun, [.. fields]);
                    fields.Clear();
                    begun = ++line;
                    break;
                case '\r' when i + 1 >= text.Length || text[i + 1] == '\n':
                    break;
                default:
                    field.Append(c);
                    break;
            }
        }

        void EndField()
        {
            fields.Add(field.ToString());
            field.Clear();
        }
    }

    private static bool EndsField(string text, int at) => at >= text.Length || text[at] is ',' or '\r' or '\n';

    /// <summary>Whether a record ends, or a comma and another field follow that cannot be the rest of a sentence.</summary>
    private static bool EndsRecordOrQuotes(string text, int at)
    {
        if (!EndsField(text, at)) return false;
        return at + 1 >= text.Length || text[at] != ',' || text[at + 1] == '"' || at + 2 >= text.Length || text[at + 2] is '\r' or '\n';
    }

    /// <summary>Reads values separated by tabs, a record a line.</summary>
    public static IEnumerable<(int Line, string[] Fields)> ReadTabs(string path)
    {
        int line = 0;
        foreach (string text in ReadText(path).Split('\n'))
        {
            line++;
            if (text.TrimEnd('\r').Length > 0) yield return (line, text.TrimEnd('\r').Split('\t'));
        }
    }

    /// <summary>The text of a file, UTF-8.</summary>
    public static string ReadText(string path)
    {
        if (!File.Exists(path)) Throw.BadFile(path, Directory.Exists(path) ? "is a folder; a file was expected" : "no such file");
        byte[] bytes = Files.HuggingFace.JsonFile.ReadBytes(path, LargestFile);
        if (bytes.Length == 0) Throw.BadFile(path, "the file is empty");
        ReadOnlySpan<byte> text = bytes.AsSpan().StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]) ? bytes.AsSpan(3) : bytes;
        if (!Utf8.IsValid(text)) Throw.BadFile(path, "is not UTF-8 text");
        return Encoding.UTF8.GetString(text);
    }
}
