using Nibble.Evaluation.Tasks.Data;
using Nibble.Evaluation.Tasks.Named;

namespace Nibble.Evaluation.Tasks;

/// <summary>
/// The tasks that are known by name, and where their data lie. Nibble brings no data of its own and fetches none: they belong to their
/// authors, under licences of their own.
/// </summary>
public static class TaskCatalog
{
    /// <summary>The environment variable that names the folder of the data.</summary>
    public const string FolderVariable = "NIBBLE_TASKS";

    private const string Mgsm = "mgsm", Train = "_train";

    /// <summary>A task with data in a single file.</summary>
    /// <param name="Name">The harness's name.</param>
    /// <param name="Domain">What it asks of a model.</param>
    /// <param name="Files">What the file may be called, without ending.</param>
    /// <param name="Source">Where the data are to be had.</param>
    /// <param name="Metrics">The harness's metrics.</param>
    /// <param name="Read">Makes a question of a line.</param>
    private sealed record Entry(string Name, TaskDomain Domain, string[] Files, string Source, IReadOnlyList<TaskMetric> Metrics, Func<TaskRow, TaskItem> Read)
    {
        public int UsualShots { get; init; }
    }

    private static readonly IReadOnlyList<TaskMetric> s_accuracy = [TaskMetric.Accuracy], s_bothAccuracies = [TaskMetric.Accuracy, TaskMetric.AccuracyPerCharacter];

    private static readonly Entry[] s_entries =
    [
        new("arc_challenge", TaskDomain.Reasoning, ["arc_challenge", "ARC-Challenge-Test"], "https://huggingface.co/datasets/allenai/ai2_arc", s_bothAccuracies, ChoiceTasks.Arc),
        new("arc_easy", TaskDomain.Reasoning, ["arc_easy", "ARC-Easy-Test"], "https://huggingface.co/datasets/allenai/ai2_arc", s_bothAccuracies, ChoiceTasks.Arc),
        new("boolq", TaskDomain.Language, ["boolq"], "https://huggingface.co/datasets/google/boolq", s_accuracy, ChoiceTasks.BoolQ),
        new("copa", TaskDomain.Reasoning, ["copa"], "https://huggingface.co/datasets/aps/super_glue", s_accuracy, ChoiceTasks.Copa),
        new("gsm8k", TaskDomain.Mathematics, ["gsm8k"], "https://github.com/openai/grade-school-math", Gsm8k.Metrics, Gsm8k.Read) { UsualShots = Gsm8k.UsualShots },
        new("hellaswag", TaskDomain.Language, ["hellaswag", "hellaswag_val"], "https://github.com/rowanz/hellaswag", s_bothAccuracies, ChoiceTasks.HellaSwag),
        new(HumanEval.Name, TaskDomain.Code, ["humaneval", "human_eval", "HumanEval"], "https://github.com/openai/human-eval", [], HumanEval.Read),
        new("lambada_openai", TaskDomain.Language, ["lambada_openai", "lambada"], "https://huggingface.co/datasets/EleutherAI/lambada_openai", [TaskMetric.Perplexity, TaskMetric.GreedyAccuracy], ChoiceTasks.Lambada),
        new("openbookqa", TaskDomain.Reasoning, ["openbookqa", "openbook_qa"], "https://huggingface.co/datasets/allenai/openbookqa", s_bothAccuracies, ChoiceTasks.OpenBookQa),
        new("piqa", TaskDomain.Reasoning, ["piqa"], "https://huggingface.co/datasets/ybisk/piqa", s_bothAccuracies, ChoiceTasks.Piqa),
        new("winogrande", TaskDomain.Language, ["winogrande"], "https://huggingface.co/datasets/allenai/winogrande", s_accuracy, ChoiceTasks.Winogrande),
    ];

    /// <summary>What can be asked for by name; mmlu and mgsm are groups of tasks.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. s_entries.Select(e => e.Name).Append(Mmlu.Group).Append(Mgsm).Order(StringComparer.Ordinal)];

    /// <summary>Where the data lie unless a folder is named: what the environment variable <see cref="FolderVariable"/> says, else <c>nibble/tasks</c> in the user's folder for data.</summary>
    public static string UsualFolder => Environment.GetEnvironmentVariable(FolderVariable) is { Length: > 0 } named
        ? named
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "nibble", "tasks");

    /// <summary>Loads tasks by their names.</summary>
    /// <param name="names">Of <see cref="Names"/>, or of one task of a group (<c>mmlu_astronomy</c>, <c>mgsm_direct_de</c>, <c>mgsm_native_cot</c>); <c>lambada</c> is short for <c>lambada_openai</c>.</param>
    /// <param name="folder">Where the data lie; <see langword="null"/> for <see cref="UsualFolder"/>.</param>
    /// <exception cref="NibbleException">A name is unknown, or data are not there or damaged; the message says where to get them.</exception>
    public static IReadOnlyList<EvaluationTask> Load(IEnumerable<string> names, string? folder = null)
    {
        ArgumentNullException.ThrowIfNull(names);
        List<EvaluationTask> tasks = [];
        foreach (string name in names)
            foreach (EvaluationTask task in Load(name, folder ?? UsualFolder))
                if (tasks.TrueForAll(t => t.Name != task.Name)) tasks.Add(task);
        return tasks;
    }

    private static IEnumerable<EvaluationTask> Load(string name, string folder)
    {
        if (name == "lambada") name = "lambada_openai";
        if (s_entries.FirstOrDefault(e => e.Name == name) is { } entry) return [Load(entry, folder)];
        if (name == Mmlu.Group || name.StartsWith(Mmlu.Prefix, StringComparison.Ordinal)) return LoadMmlu(name, folder);
        if (name == Mgsm) name = Named.Mgsm.Direct;
        foreach (string group in (ReadOnlySpan<string>)[Named.Mgsm.Direct, Named.Mgsm.NativeSolution])
            if (name == group || name.StartsWith(group + "_", StringComparison.Ordinal)) return LoadMgsm(name, group, folder);
        return Throw.BadInput<IEnumerable<EvaluationTask>>($"there is no task '{name}'; there are {string.Join(", ", Names)} (of your own: --task-file)");
    }

    private static EvaluationTask Load(Entry entry, string folder)
    {
        string path = FirstThatExists(folder, entry.Files.Select(f => f + ".jsonl"))
            ?? Throw.BadInput<string>(Missing(entry.Name, folder, string.Join(" or ", entry.Files.Select(f => f + ".jsonl")), entry.Source));
        string? examples = FirstThatExists(folder, entry.Files.Select(f => $"{f}{Train}.jsonl"));
        return new(entry.Name, entry.Domain, entry.Metrics, DataFile.ReadJsonLines(path, entry.Read))
        {
            Examples = examples is null ? null : DataFile.ReadJsonLines(examples, entry.Read),
            UsualShots = entry.UsualShots,
            Files = examples is null ? [path] : [path, examples],
        };
    }

    private static IEnumerable<EvaluationTask> LoadMmlu(string name, string folder)
    {
        const string Source = "https://people.eecs.berkeley.edu/~hendrycks/data.tar";
        IReadOnlyList<(string Subject, string Path, string? Examples)> subjects = Mmlu.Subjects(Path.Combine(folder, Mmlu.Group));
        if (subjects.Count == 0) Throw.BadInput(Missing(Mmlu.Group, folder, "mmlu/SUBJECT.csv or mmlu/test/SUBJECT_test.csv", Source));
        if (name == Mmlu.Group) return subjects.Select(s => Mmlu.Load(s.Subject, s.Path, s.Examples));
        string subject = name[Mmlu.Prefix.Length..];
        if (subjects.All(s => s.Subject != subject)) Throw.BadInput($"{Path.Combine(folder, Mmlu.Group)}: has no subject '{subject}'; there are {string.Join(", ", subjects.Select(s => s.Subject))}");
        return subjects.Where(s => s.Subject == subject).Select(s => Mmlu.Load(s.Subject, s.Path, s.Examples));
    }

    private static EvaluationTask[] LoadMgsm(string name, string group, string folder)
    {
        const string Source = "https://github.com/google-research/url-nlp/tree/main/mgsm";
        string? only = name == group ? null : name[(group.Length + 1)..];
        if (only is not null && !Named.Mgsm.Languages.Contains(only)) Throw.BadInput($"mgsm has no language '{only}'; it has {string.Join(", ", Named.Mgsm.Languages)}");
        List<EvaluationTask> tasks = [];
        foreach (string code in Named.Mgsm.Languages)
        {
            if (only is not null && code != only) continue;
            string? path = FirstThatExists(Path.Combine(folder, Mgsm), [$"{code}.tsv", $"mgsm_{code}.tsv", $"{code}.jsonl"]);
            if (path is not null) tasks.Add(Named.Mgsm.Load(group, code, path));
        }
        return tasks.Count > 0 ? [.. tasks] : Throw.BadInput<EvaluationTask[]>(Missing(name, folder, $"mgsm/{only ?? "LANGUAGE"}.tsv", Source));
    }

    private static string? FirstThatExists(string folder, IEnumerable<string> names) => names.Select(n => Path.Combine(folder, n)).FirstOrDefault(File.Exists);

    private static string Missing(string task, string folder, string files, string source) =>
        $"{folder}: has no data of {task} ({files}); get them from {source}, and name the folder with --task-dir or {FolderVariable}";
}
