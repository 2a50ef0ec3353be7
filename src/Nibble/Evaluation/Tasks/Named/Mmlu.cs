using System.Globalization;
using Nibble.Evaluation.Tasks.Data;

namespace Nibble.Evaluation.Tasks.Named;

/// <summary>MMLU (Hendrycks et al. 2021, arXiv:2009.03300): examination questions of 57 subjects, answered by a letter.</summary>
internal static class Mmlu
{
    public const string Group = "mmlu", Prefix = "mmlu_";

    private static readonly string[] s_letters = ["A", "B", "C", "D"];

    /// <summary>The subjects whose data are in a folder, with the files of their questions and examples.</summary>
    /// <param name="folder">The folder <c>mmlu</c>: the subjects' files <c>SUBJECT.csv</c>, or the published folders <c>test</c> and <c>dev</c>.</param>
    public static IReadOnlyList<(string Subject, string Path, string? Examples)> Subjects(string folder)
    {
        string test = Path.Combine(folder, "test"), dev = Path.Combine(folder, "dev");
        bool isPublished = Directory.Exists(test);
        string source = isPublished ? test : folder, ending = isPublished ? "_test.csv" : ".csv";
        if (!Directory.Exists(source)) return [];
        return [.. Directory.EnumerateFiles(source, $"*{ending}").Order(StringComparer.Ordinal).Select(path =>
        {
            string subject = Path.GetFileName(path)[..^ending.Length], examples = Path.Combine(dev, $"{subject}_dev.csv");
            return (subject, path, File.Exists(examples) ? examples : null);
        })];
    }

    public static EvaluationTask Load(string subject, string path, string? examples) =>
        new(Prefix + subject, TaskDomain.Reasoning, [TaskMetric.Accuracy], Read(path))
        {
            Group = Group,
            Description = $"The following are multiple choice questions (with answers) about {subject.Replace('_', ' ')}.\n\n",
            Examples = examples is null ? null : Read(examples),
            TakesFirstExamples = true,
            Files = examples is null ? [path] : [path, examples],
        };

    private static TaskItem[] Read(string path)
    {
        List<TaskItem> items = [];
        foreach ((int line, string[] fields) in DataFile.ReadCsv(path))
        {
            if (line == 1 && fields is ["question", ..]) continue;
            if (fields is not [var question, .., var answer] || fields.Length != s_letters.Length + 2)
                return Throw.BadFile<TaskItem[]>(path, $"line {line}: has {fields.Length} fields, and must have 6: the question, four choices and the answer");
            int gold = Array.IndexOf(s_letters, answer.Trim());
            if (gold < 0 && !(int.TryParse(answer, NumberStyles.None, CultureInfo.InvariantCulture, out gold) && gold < s_letters.Length))
                Throw.BadFile(path, $"line {line}: the field \"answer\" is '{answer}', and must be A to D or 0 to 3");
            string text = $"{question.Trim()}\nA. {fields[1]}\nB. {fields[2]}\nC. {fields[3]}\nD. {fields[4]}\nAnswer:";
            items.Add(ChoiceItem.OfContinuations($"line {line}", text, s_letters, gold));
        }
        return items.Count > 0 ? [.. items] : Throw.BadFile<TaskItem[]>(path, "has no questions");
    }
}
