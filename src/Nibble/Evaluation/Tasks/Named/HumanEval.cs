using System.Text.Json;
using Nibble.Evaluation.Tasks.Data;
using Nibble.Files;

namespace Nibble.Evaluation.Tasks.Named;

/// <summary>
/// HumanEval (Chen et al. 2021, arXiv:2107.03374): functions to complete. What is generated is written out for the official checker
/// (https://github.com/openai/human-eval) and never executed here.
/// </summary>
public static class HumanEval
{
    public const string Name = "humaneval";

    private const int MostTokens = 1024;

    private static readonly string[] s_until = ["\nclass", "\ndef", "\n#", "\nif", "\nprint"];

    internal static TaskItem Read(TaskRow row)
    {
        string prompt = row.String("prompt");
        string example = row.Has("canonical_solution") ? prompt + row.String("canonical_solution") : prompt;
        return new GenerationItem(row.String("task_id"), prompt, null, s_until, MostTokens, example);
    }

    /// <summary>Writes the completions as the official checker reads them: <c>{"task_id", "completion"}</c> on each line.</summary>
    /// <exception cref="NibbleException">The file cannot be written.</exception>
    public static void WriteSamples(TaskResult result, string path)
    {
        ArgumentNullException.ThrowIfNull(result);
        using MemoryStream lines = new();
        foreach (ItemResult item in result.Items)
        {
            using (Utf8JsonWriter json = new(lines))
            {
                json.WriteStartObject();
                json.WriteString("task_id", item.Id);
                json.WriteString("completion", item.Outcome.Text);
                json.WriteEndObject();
            }
            lines.Write("\n"u8);
        }
        using AtomicFile file = new(path, lines.Length);
        file.Write(lines.GetBuffer().AsSpan(0, (int)lines.Length));
        file.Commit();
    }
}
