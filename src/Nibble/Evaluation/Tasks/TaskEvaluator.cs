using Nibble.Files;
using Nibble.Generation;

namespace Nibble.Evaluation.Tasks;

/// <summary>
/// Runs tasks as EleutherAI's lm-evaluation-harness does: the same prompts, the same rule for where a text's end begins, the same measures
/// (Gao et al., https://github.com/EleutherAI/lm-evaluation-harness). Generated code is never executed.
/// </summary>
public static class TaskEvaluator
{
    /// <summary>Measures a model by some tasks.</summary>
    /// <param name="model">The model.</param>
    /// <param name="tasks">The tasks; groups of them get a result of their own behind that of their last task.</param>
    /// <param name="options">How; <see langword="null"/> for the defaults.</param>
    /// <param name="progress">Told before and after every pass through the model.</param>
    /// <param name="cancellationToken">Stops after the pass at hand; what is finished stays in the journal.</param>
    /// <returns>A result for each task, and one for each group of at least two.</returns>
    /// <exception cref="NibbleException">An option makes no sense, an item cannot be asked, the journal is in use, or the model's scores are no numbers.</exception>
    public static IReadOnlyList<TaskResult> Run(LanguageModel model, IReadOnlyList<EvaluationTask> tasks, EvaluationOptions? options = null,
        IProgress<EvaluationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(tasks);
        options ??= new EvaluationOptions();
        options.Validate();
        int context = options.ContextLength is { } wanted ? model.ContextFor(wanted) : model.Network.ContextLength;
        using ItemJournal? journal = options.JournalFolder is { } folder ? ItemJournal.Open(folder, model.File, options.ModelSha256 ?? HashedFile.OfModel(model.File, cancellationToken: cancellationToken), options.Cache) : null;

        EvaluationRun run = new(model, context, options, journal);
        foreach (EvaluationTask task in tasks)
        {
            cancellationToken.ThrowIfCancellationRequested();
            run.Add(task);
        }
        run.Run(progress, cancellationToken);
        return WithGroups(run.Results());
    }

    private static List<TaskResult> WithGroups(TaskResult[] results)
    {
        List<TaskResult> all = [];
        for (int i = 0; i < results.Length; i++)
        {
            all.Add(results[i]);
            if (results[i].Group is not { } group || results.Skip(i + 1).Any(r => r.Group == group)) continue;
            TaskResult[] parts = [.. results.Where(r => r.Group == group)];
            if (parts.Length > 1) all.Add(TaskResult.OfGroup(group, parts));
        }
        return all;
    }
}
