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
    private const string Query = "query", ContextOptions = "context_options", Context = "context", Prompt = "prompt";

    private const int MostTokens = 256, LongestAnswer = 1 << 16;

    private static readonly TimeSpan s_longestSearch = TimeSpan.FromSeconds(5);

    private static readonly string[] s_emptyLine = ["\n\n"];

    /// <summary>Reads a task; it is called after the file.</summary>
    /// <exception cref="NibbleException">It cannot be read; or a field is missing or of another type, and the message names the line and the field.</exception>
    public static EvaluationTask Read(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        List<Regex?> patterns = []; // of the items that generate
        string? form = null;
        IReadOnlyList<TaskItem> items = DataFile.ReadJsonLines(path, row =>
        {
            string its = FormOf(row);
            TaskItem item = ReadItem(row, its, out Regex? pattern);
            if (its != (form ??= its)) row.Bad<int>("is of another form than the lines before it; put questions of different forms in files of their own");
            patterns.Add(pattern);
            return item;
        });
        Dictionary<TaskItem, Regex?> patternOf = new(ReferenceEqualityComparer.Instance);
        for (int i = 0; i < items.Count; i++) patternOf[items[i]] = patterns[i];

        IReadOnlyList<TaskMetric> metrics = form switch
        {
            Query => [TaskMetric.Accuracy, TaskMetric.AccuracyPerCharacter, TaskMetric.AccuracyPerByte],
            ContextOptions => [TaskMetric.Accuracy],
            Context => [TaskMetric.Perplexity, TaskMetric.GreedyAccuracy],
            _ => [new TaskMetric("exact_match", (item, outcome) => IsRight((GenerationItem)item, patternOf[item], outcome.Text!))],
        };
        TaskDomain domain = form == Context ? TaskDomain.Language : TaskDomain.Reasoning;
        return new(Path.GetFileNameWithoutExtension(path), domain, metrics, items) { Files = [path] };
    }

    /// <summary>The field that tells which form a question has.</summary>
    private static string FormOf(TaskRow row)
    {
        foreach (string form in (ReadOnlySpan<string>)[Query, ContextOptions, Context, Prompt])
            if (row.Has(form)) return form;
        return row.Bad<string>($"has none of the fields \"{Query}\", \"{ContextOptions}\", \"{Context}\" and \"{Prompt}\", one of which every question begins with");
    }

    private static TaskItem ReadItem(TaskRow row, string form, out Regex? pattern)
    {
        pattern = null;
        string delimiter = row.TryString("delimiter") ?? " ";
        if (form == Query)
        {
            string[] choices = row.Strings("choices", atLeast: 2);
            return ChoiceItem.OfContinuations(row.Id, row.String(Query), choices, row.Index("gold", choices.Length), delimiter);
        }
        if (form == ContextOptions)
        {
            string[] contexts = row.Strings(ContextOptions, atLeast: 2);
            return ChoiceItem.OfContexts(row.Id, contexts, row.String("continuation"), row.Index("gold", contexts.Length), delimiter);
        }
        if (form == Context)
        {
            string context = row.String(Context), continuation = delimiter + row.String("continuation");
            return new PredictionItem(row.Id, new(context, continuation), context + continuation);
        }
        string prompt = row.String(Prompt), answer = row.String("answer");
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
