using Nibble.Evaluation.Batching;
using Nibble.Generation;

namespace Nibble.Evaluation.Tasks;

/// <summary>The items of some tasks on their way through a model.</summary>
internal sealed class EvaluationRun(LanguageModel model, int context, EvaluationOptions options, ItemJournal? journal)
{
    /// <summary>An item that is still to be asked.</summary>
    private sealed record Question(Entry Entry, int Item, int Truncated, string? Key);

    private sealed record Entry(EvaluationTask Task, ItemOutcome?[] Outcomes, int Shots);

    private readonly PairEncoder _encoder = new(model.Tokenizer, context);
    private readonly List<Entry> _entries = [];
    private readonly Dictionary<BatchJob, Question> _questions = [];
    private readonly List<BatchJob> _jobs = [];
    private int _items, _finished, _kept;

    /// <summary>Prepares the items of a task, and takes those that the journal has.</summary>
    public void Add(EvaluationTask task)
    {
        int shots = options.Shots ?? task.UsualShots, count = Math.Min(task.Items.Count, options.Limit ?? int.MaxValue);
        Entry entry = new(task, new ItemOutcome?[count], shots);
        _entries.Add(entry);
        FewShot examples = new(task, shots, options.Seed);
        List<BatchJob> jobs = [];
        for (int i = 0; i < count; i++)
        {
            (BatchJob job, int truncated, string? key) = Prepare(task, task.Items[i], examples.Before(task.Items[i]));
            _items++;
            if (key is not null && journal!.Find(key, job is ScoringJob scored ? scored.LogLikelihoods.Length : 0) is { } known)
            {
                entry.Outcomes[i] = known with { TruncatedTokens = truncated };
                _finished++;
                _kept++;
                continue;
            }
            _questions.Add(job, new(entry, i, truncated, key));
            jobs.Add(job);
        }
        _jobs.AddRange(jobs.OrderByDescending(j => j.Capacity)); // the longest first: what takes memory does so at once, and short ones fill the last passes
    }

    public void Run(IProgress<EvaluationProgress>? progress, CancellationToken cancellationToken)
    {
        long total = Math.Max(1, _jobs.Sum(j => (long)j.Cost)), done = 0, passed = 0, read = 0;
        string task = _entries.FirstOrDefault()?.Task.Name ?? "";
        Report(0);
        JobRunner.Run(model, _jobs, Finish, Report, options.Cache, cancellationToken);
        Report(0);

        void Finish(BatchJob job)
        {
            Question question = _questions[job];
            ItemOutcome outcome = job switch
            {
                ScoringJob scored => new(scored.LogLikelihoods, scored.IsGreedy, null, question.Truncated),
                GenerationJob generated => new([], [], generated.Text, question.Truncated),
                _ => throw new InvalidOperationException(),
            };
            question.Entry.Outcomes[question.Item] = outcome;
            if (question.Key is not null) journal!.Add(question.Key, outcome);
            _finished++;
            task = question.Entry.Task.Name;
            done += job.Cost;
            passed = Math.Max(passed, done); // a job may take fewer tokens than expected
        }

        void Report(int tokens)
        {
            read += tokens;
            passed = Math.Min(total, passed + tokens);
            progress?.Report(new(task, _finished, _items, _kept, read, _finished == _items ? 1 : (double)passed / total));
        }
    }

    public TaskResult[] Results() => [.. _entries.Select(e => TaskResult.Of(e.Task, e.Outcomes!, e.Shots))];

    private (BatchJob Job, int Truncated, string? Key) Prepare(EvaluationTask task, TaskItem item, string before)
    {
        string source = $"{task.Name}, {item.Id}";
        switch (item)
        {
            case GenerationItem { Prompt: var prompt, Until: var until, MaxTokens: var most }:
                int generated = Math.Min(most, Math.Max(1, context / 2)); // a short context must hold the question, too
                int[] tokens = _encoder.EncodePrompt(before + prompt, generated, out int left);
                if (tokens.Length == 0) Throw.BadInput($"{source}: the prompt is empty and the model has no token to begin with; write at least one word");
                return (new GenerationJob(model.Tokenizer, tokens, generated, until), left, journal?.KeyOf(tokens, generated, until));
            case ChoiceItem { Texts: var texts }:
                return Score(texts);
            case PredictionItem { Text: var text }:
                return Score([text]);
            default:
                throw new ArgumentException($"{item.GetType().Name} is no kind of item", nameof(item));
        }

        (BatchJob, int, string?) Score(IReadOnlyList<ScoredText> texts)
        {
            List<ScoredTokens> scored = [];
            List<int> ends = []; // what each belongs to
            int most = 0;
            for (int i = 0; i < texts.Count; i++)
            {
                scored.AddRange(_encoder.Encode(texts[i] with { Context = before + texts[i].Context }, source, out int truncated));
                while (ends.Count < scored.Count) ends.Add(i);
                most = Math.Max(most, truncated);
            }
            return (new ScoringJob([.. scored], [.. ends]), most, journal?.KeyOf(scored));
        }
    }
}
