namespace Nibble.Evaluation.Tasks;

/// <summary>A set of questions with the measures of how well they are answered.</summary>
/// <param name="Name">The harness's name of it, such as <c>arc_easy</c>.</param>
/// <param name="Domain">What it asks of a model.</param>
/// <param name="Metrics">How it is measured, the most telling last; none where something else judges what was generated.</param>
/// <param name="Items">The questions.</param>
public sealed record EvaluationTask(string Name, TaskDomain Domain, IReadOnlyList<TaskMetric> Metrics, IReadOnlyList<TaskItem> Items)
{
    /// <summary>The group whose value is that of all its tasks' items together, such as <c>mmlu</c>; <see langword="null"/> for none.</summary>
    public string? Group { get; init; }

    /// <summary>The files that the questions and examples come from; none where they were put together in memory.</summary>
    public IReadOnlyList<string> Files { get; init; } = [];

    /// <summary>What stands before everything else.</summary>
    public string Description { get; init; } = "";

    /// <summary>Questions that serve as examples; <see langword="null"/> to take the others of the task itself.</summary>
    public IReadOnlyList<TaskItem>? Examples { get; init; }

    /// <summary>Whether the first examples are taken rather than any.</summary>
    public bool TakesFirstExamples { get; init; }

    /// <summary>Examples before each question where no other number is asked for.</summary>
    public int UsualShots { get; init; }
}
