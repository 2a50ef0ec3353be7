using System.Text.RegularExpressions;
using Nibble.Evaluation.Tasks.Data;

namespace Nibble.Evaluation.Divergence;

/// <summary>A prompt that two models continue.</summary>
/// <param name="Text">The text to continue.</param>
/// <param name="WantsJson">Whether the continuation is to be JSON.</param>
public sealed partial record DiffPrompt(string Text, bool WantsJson)
{
    /// <summary>
    /// Reads prompts: of a file called <c>.jsonl</c> the field <c>"prompt"</c> of each line, of any other file each line that is not empty. A
    /// prompt asks for JSON where it has the word, or as the field <c>"json"</c> says.
    /// </summary>
    /// <exception cref="NibbleException">It cannot be read, or has none.</exception>
    public static IReadOnlyList<DiffPrompt> ReadFile(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (path.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase))
        {
            return DataFile.ReadJsonLines(path, row =>
            {
                string text = row.String("prompt");
                if (text.Length == 0) row.Bad<int>("the field \"prompt\" is empty");
                return new DiffPrompt(text, row.Has("json") ? row.Int("json") != 0 : AsksForJson(text));
            });
        }
        DiffPrompt[] prompts = [.. DataFile.ReadText(path).Split('\n').Select(l => l.TrimEnd('\r')).Where(l => !string.IsNullOrWhiteSpace(l)).Select(l => new DiffPrompt(l, AsksForJson(l)))];
        return prompts.Length > 0 ? prompts : Throw.BadFile<DiffPrompt[]>(path, "has no prompts; write one on each line");
    }

    private static bool AsksForJson(string text) => Word().IsMatch(text);

    [GeneratedRegex(@"\bJSON\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Word();
}
