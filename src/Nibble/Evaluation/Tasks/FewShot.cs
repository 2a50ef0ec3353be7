namespace Nibble.Evaluation.Tasks;

/// <summary>The examples before each question of a task, drawn as the harness draws them: in the order of the questions, from one seed.</summary>
/// <param name="task">The task.</param>
/// <param name="shots">Examples before each question.</param>
/// <param name="seed">The same seed gives the same examples; the harness's is 1234.</param>
internal sealed class FewShot(EvaluationTask task, int shots, int seed)
{
    private const string Between = "\n\n";

    private readonly PythonRandom _random = new((uint)Math.Abs((long)seed)); // Python takes the absolute value, too

    /// <summary>What stands before the next question.</summary>
    /// <exception cref="NibbleException">There are not that many examples.</exception>
    public string Before(TaskItem item)
    {
        if (shots == 0) return task.Description;
        bool isOwn = task.Examples is null;
        IReadOnlyList<TaskItem> pool = task.Examples ?? task.Items;
        int needed = isOwn ? shots + 1 : shots;
        if (pool.Count < needed)
            Throw.BadInput($"{task.Name}: {shots} examples before each question were asked for, and there are {Math.Max(0, pool.Count - (isOwn ? 1 : 0))}; take fewer (--num-fewshot)");
        IEnumerable<TaskItem> drawn = task.TakesFirstExamples ? pool : _random.Sample(pool.Count, needed).Select(i => pool[i]);
        return task.Description + string.Concat(drawn.Where(e => !ReferenceEquals(e, item)).Take(shots).Select(e => e.Example + Between));
    }
}
