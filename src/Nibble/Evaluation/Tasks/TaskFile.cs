using System.Text.RegularExpressions;
using Nibble.Evaluation.Tasks.Data;

namespace Nibble.Evaluation.Tasks;

/// <summary>
/// A task of the user's own: JSON Lines, of which all have one of these forms. <c>{"query", "choices", "gold"}</c> asks which choice is the
/// likeliest after the query; <c>{"context_options", "continuation", "gold"}</c> after which context the continuation is;
/// <c>{"context", "continuation"}</c> whether the continuation is what the model would write; <c>{"prompt", "answer"}</c> has it generate,
/// with <c>"until"</c> (texts that end it; an empty line where left out), <c>"max_tokens"</c> (256) and <c>"extract"</c> (a regular expression
/// whose first group is the answer; without it all of the text is). <c>"delimiter"</c> stands between the parts of the first three, a space
/// where left out, and <c>"id"</c> names an item.
/// </summary>
public static class TaskFile
{
    private const int MostTokens = 256, LongestAnswer = 1 << 16;

    private static readonly TimeSpan s_longestSearch = TimeSpan.FromSeconds(5);

    private static readonly string[] s_emptyLine = ["\n\n"];

    /// <summary>Reads a task; it is called after the file.</summary>
    /// <exception cref="NibbleException">It cannot be read; or a field is missing or of another type, and the message names the line and the field.</exception>
    public static EvaluationTask Read(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        List<Regex?> patterns = []; // of the items that generate
        IReadOnlyList<TaskItem> items = DataFile.ReadJsonLines(path, row =>
        {
            TaskItem item = ReadItem(row, out Regex? pattern);
            patterns.Add(pattern);
            return item;
        });
        for (int i = 1; i < items.Count; i++)
            if (items[i].GetType() != items[0].GetType()) Throw.BadFile(path, $"{items[i].Id}: is of another form than the lines before it; put questions of different forms in files of their own");
        Dictionary<TaskItem, Regex?> patternOf = new(ReferenceEqualityComparer.Instance);
        for (int i = 0; i < items.Count; i++) patternOf[items[i]] = patterns[i];

        IReadOnlyList<TaskMetric> metrics = items[0] switch
        {
            ChoiceItem { Texts: [var first, var second, ..] } when first.Context == second.Context => [TaskMetric.Accuracy, TaskMetric.AccuracyPerCharacter, TaskMetric.AccuracyPerByte],
            ChoiceItem => [TaskMetric.Accuracy],
            PredictionItem => [TaskMetric.Perplexity, TaskMetric.GreedyAccuracy],
            _ => [new TaskMetric("exact_match", (item, outcome) => IsRight((GenerationItem)item, patternOf[item], outcome.Text!))],
        };
        TaskDomain domain = items[0] is PredictionItem ? TaskDomain.Language : TaskDomain.Reasoning;
        return new(Path.GetFileNameWithoutExtension(path), domain, metrics, items);
    }

    private static TaskItem ReadItem(TaskRow row, out Regex? pattern)
    {
        pattern = null;
        string delimiter = row.TryString("delimiter") ?? " ";
        if (row.Has("query"))
        {
            string[] choices = row.Strings("choices", atLeast: 2);
            return ChoiceItem.OfContinuations(row.Id, row.String("query"), choices, row.Index("gold", choices.Length), delimiter);
        }
        if (row.Has("context_options"))
        {
            string[] contexts = row.Strings("context_options", atLeast: 2);
            return ChoiceItem.OfContexts(row.Id, contexts, row.String("continuation"), row.Index("gold", contexts.Length), delimiter);
        }
        if (row.Has("context"))
        {
            string context = row.String("context"), continuation = delimiter + row.String("continuation");
            return new PredictionItem(row.Id, new(context, continuation), context + continuation);
        }
        if (!row.Has("prompt"))
            return row.Bad<TaskItem>("has none of the fields \"query\", \"context_options\", \"context\" and \"prompt\", one of which every question begins with");
        string prompt = row.String("prompt"), answer = row.String("answer");
        int most = row.Has("max_tokens") ? row.Int("max_tokens") : MostTokens;
        if (most is < 1 or > LongestAnswer) row.Bad<int>($"the field \"max_tokens\" is {most}, and must be from 1 to {LongestAnswer}");
        if (row.Has("extract")) pattern = Pattern(row);
        return new GenerationItem(row.Id, prompt, answer, row.Has("until") ? [.. row.Strings("until").Where(u => u.Length > 0)] : s_emptyLine, most, $"{prompt} {answer}");
    }

    private static Regex Pattern(TaskRow row)
    {
        string pattern = row.String("extract");
        try
        {
            return new(pattern, RegexOptions.CultureInvariant, s_longestSearch);
        }
        catch (ArgumentException e)
        {
            return row.Bad<Regex>($"the field \"extract\" is no regular expression ({e.Message.ReplaceLineEndings(" ")})");
        }
    }

    private static double IsRight(GenerationItem item, Regex? pattern, string text)
    {
        try
        {
            string found = pattern is null ? text.Trim() : AnswerExtraction.First(pattern, text);
            return string.Equals(found, item.Answer!.Trim(), StringComparison.Ordinal) ? 1 : 0;
        }
        catch (RegexMatchTimeoutException e)
        {
            throw new NibbleException($"{item.Id}: the regular expression in \"extract\" takes too long; write it without nested repetitions", e);
        }
    }
}
