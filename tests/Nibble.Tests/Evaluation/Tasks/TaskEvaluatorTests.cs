using Nibble.Evaluation.Tasks;
using Nibble.Generation;

namespace Nibble.Tests.Evaluation.Tasks;

public class TaskEvaluatorTests
{
    private static readonly EvaluationTask s_stories = new("stories", TaskDomain.Language, [TaskMetric.Accuracy, TaskMetric.AccuracyPerCharacter],
    [
        ChoiceItem.OfContinuations("short", "Once upon a time", ["there was a little girl.", "the", "a very long choice that goes on and on, much longer than the others"], 0),
        ChoiceItem.OfContinuations("one token each", "Question: is it so?\nAnswer:", ["no", "yes"], 1),
        ChoiceItem.OfContinuations("spaces behind", "She was very \n ", ["happy", "  sad"], 0),
        ChoiceItem.OfContinuations("nothing between", "The captain said", [", and", ".", " nothing"], 0, delimiter: ""),
        ChoiceItem.OfContexts("contexts", ["The dog bit the man because the dog", "The dog bit the man because the man"], "was angry and wild.", 0),
        ChoiceItem.OfContexts("nothing in common", ["A girl", "The boy ran to a"], "house.", 0),
        ChoiceItem.OfContinuations("too long", string.Concat(Enumerable.Repeat("It was a bright morning, and she went out. ", 40)), ["Then she came back.", "Then it rained all day long, and nobody was there."], 0),
    ]);

    [Theory]
    [InlineData("F32", 1)]
    [InlineData("Q4_K_M", 2)]
    public void Scores_are_those_of_each_text_alone(string level, int threads)
    {
        using LanguageModel model = SampleModel.Open(level, threads);
        TaskResult result = Assert.Single(TaskEvaluator.Run(model, [s_stories]));
        BruteForce.Check(model, result.Items.SelectMany((item, i) => ((ChoiceItem)s_stories.Items[i]).Texts.Select((t, c) => (t, item.Outcome.LogLikelihoods[c], item.Outcome.IsGreedy[c]))));
        Assert.Equal(1, result.Truncated);
        // The measures by their definitions.
        for (int i = 0; i < result.Items.Count; i++)
        {
            ChoiceItem item = (ChoiceItem)s_stories.Items[i];
            double[] sums = [.. result.Items[i].Outcome.LogLikelihoods], means = [.. sums.Select((s, c) => s / item.Choices[c].Length)];
            Assert.Equal(Array.IndexOf(sums, sums.Max()) == item.Gold ? 1 : 0, result.Items[i].Values[0]);
            Assert.Equal(Array.IndexOf(means, means.Max()) == item.Gold ? 1 : 0, result.Items[i].Values[1]);
        }
    }

    [Theory]
    [InlineData("arc_easy", 0)]
    [InlineData("winogrande", 0)]
    [InlineData("copa", 2)]
    [InlineData("lambada_openai", 0)]
    [InlineData("mmlu_astronomy", 1)]
    public void Scores_of_published_items_are_those_of_each_text_alone(string name, int shots)
    {
        EvaluationTask task = Assert.Single(TaskCatalog.Load([name], Shared.Find("evals")));
        using LanguageModel model = SampleModel.Open("Q8_0", threads: 2);
        TaskResult result = Assert.Single(TaskEvaluator.Run(model, [task], new() { Limit = 12, Shots = shots }));
        Assert.Equal(12, result.Items.Count);
        FewShot examples = new(task, shots, seed: 1234);
        BruteForce.Check(model, result.Items.SelectMany((item, i) =>
        {
            string before = examples.Before(task.Items[i]);
            IReadOnlyList<ScoredText> texts = task.Items[i] is ChoiceItem choice ? choice.Texts : [((PredictionItem)task.Items[i]).Text];
            return texts.Select((t, c) => (t with { Context = before + t.Context }, item.Outcome.LogLikelihoods[c], item.Outcome.IsGreedy[c]));
        }));
    }

    [Fact]
    public void A_choice_longer_than_the_context_is_scored_in_pieces()
    {
        using LanguageModel model = SampleModel.Open("F32");
        string story = "there was a little girl who went to the garden and was very happy.";
        EvaluationTask task = new("long", TaskDomain.Language, [TaskMetric.Accuracy], [ChoiceItem.OfContinuations("1", "Once upon a time", [story, "no"], 0)]);
        TaskResult result = Assert.Single(TaskEvaluator.Run(model, [task], new() { ContextLength = 8 }));
        int[] tokens = model.Tokenizer.Encode("Once upon a time " + story);
        int first = model.Tokenizer.Encode("Once upon a time").Length;
        double expected = 0;
        for (int i = first; i < tokens.Length; i++)
        {
            // Pieces of 4 tokens, each ending a text of at most 9: the tokens from left on precede token i.
            int end = Math.Min(first + (i - first) / 4 * 4 + 4, tokens.Length), left = Math.Max(0, end - 9);
            using Nibble.Models.Session session = model.CreateSession(16);
            double[] scores = [.. session.Append(tokens.AsSpan(left..i)).ToArray().Select(v => (double)v)];
            expected += scores[tokens[i]] - Math.Log(scores.Sum(Math.Exp));
        }
        Assert.Equal(expected, result.Items[0].Outcome.LogLikelihoods[0], 1e-2);
    }

    [Fact]
    public void Generated_answers_are_those_of_the_one_loop()
    {
        string[] prompts = ["Once upon a time", "The captain said", "She opened the old door and saw that the", "It was"];
        EvaluationTask task = new("go on", TaskDomain.Language, [], [.. prompts.Select((p, i) => new GenerationItem($"{i}", p, null, i == 0 ? [". ", "girl"] : [], 24, p))]);
        using LanguageModel model = SampleModel.Open("Q8_0", threads: 2);
        TaskResult result = Assert.Single(TaskEvaluator.Run(model, [task]));
        for (int i = 0; i < prompts.Length; i++)
        {
            using TextGenerator generator = new(model, 128);
            string expected = model.Tokenizer.Decode([.. generator.Generate(model.Tokenizer.Encode(prompts[i]), new() { Temperature = 0, MaxTokens = 24 })]);
            Assert.Equal(i == 0 ? expected.Split(". ")[0].Split("girl")[0] : expected, result.Items[i].Outcome.Text);
        }
    }

    [Fact]
    public void An_interrupted_run_goes_on_where_it_was()
    {
        using TemporaryFolder folder = new();
        using LanguageModel model = SampleModel.Open("Q8_0", threads: 2);
        EvaluationTask many = s_stories with { Items = [.. Enumerable.Range(0, 60).Select(i => ChoiceItem.OfContinuations($"{i}", $"There were {i} apples and the girl", ["ate them all.", "went home."], i % 2))] };
        TaskResult whole = Assert.Single(TaskEvaluator.Run(model, [many]));

        EvaluationOptions options = new() { JournalFolder = folder.Path };
        using CancellationTokenSource stop = new();
        Steps until = new(p =>
        {
            if (p.Items >= 20) stop.Cancel();
        });
        Assert.Throws<OperationCanceledException>(() => TaskEvaluator.Run(model, [many], options, until, stop.Token));
        File.AppendAllText(Assert.Single(Directory.GetFiles(folder.Path)), "{\"key\":\"a line that a killed run lef");

        Steps rest = new(_ => { });
        TaskResult resumed = Assert.Single(TaskEvaluator.Run(model, [many], options, rest));
        Assert.InRange(rest.Last.KeptItems, 20, 59);
        foreach ((ItemResult one, ItemResult other) in whole.Items.Zip(resumed.Items))
        {
            Assert.Equal(one.Values, other.Values);
            foreach ((double a, double b) in one.Outcome.LogLikelihoods.Zip(other.Outcome.LogLikelihoods)) Assert.Equal(a, b, 1e-3);
        }
        // All of it is kept now, under whatever name it is asked.
        Steps again = new(_ => { });
        TaskEvaluator.Run(model, [many with { Name = "other" }], options, again);
        Assert.Equal((60, 0L), (again.Last.KeptItems, again.Last.Tokens));
        // Another cache of keys and values is another question.
        Steps coarse = new(_ => { });
        TaskEvaluator.Run(model, [many], options with { Limit = 1, Cache = new() { KeyFormat = Nibble.Models.CacheOptions.ParseFormat("q8_0") } }, coarse);
        Assert.Equal(0, coarse.Last.KeptItems);
    }

    [Fact]
    public void A_group_counts_every_item_the_same_and_pools_its_errors()
    {
        using LanguageModel model = SampleModel.Open("Q8_0");
        EvaluationTask small = s_stories with { Name = "a", Group = "both", Items = [.. s_stories.Items.Take(2)] }, large = s_stories with { Name = "b", Group = "both", Items = [.. s_stories.Items.Skip(2)] };
        IReadOnlyList<TaskResult> results = TaskEvaluator.Run(model, [small, large]);
        Assert.Equal(["a", "b", "both"], results.Select(r => r.Name));
        Assert.Equal((results[0].Values(0).Sum() + results[1].Values(0).Sum()) / 7, results[2].Metrics[0].Value, 1e-12);
        // lm_eval/api/metrics.py, pooled_sample_stderr: sqrt(Σ (n - 1) e² n / (N - k) / N).
        double pooled = Math.Sqrt((1 * Math.Pow(results[0].Metrics[0].Error, 2) * 2 + 4 * Math.Pow(results[1].Metrics[0].Error, 2) * 5) / (7 - 2) / 7);
        Assert.Equal(pooled, results[2].Metrics[0].Error, 1e-12);
    }

    [Fact]
    public void Items_that_cannot_be_asked_are_named()
    {
        using LanguageModel model = SampleModel.Open("Q8_0");
        EvaluationTask empty = s_stories with { Items = [ChoiceItem.OfContinuations("line 7", "Once upon", ["a time", ""], 0, delimiter: "")] };
        Assert.Contains("stories, line 7", Assert.Throws<NibbleException>(() => TaskEvaluator.Run(model, [empty])).Message, StringComparison.Ordinal);
        EvaluationTask joined = s_stories with { Items = [ChoiceItem.OfContinuations("line 8", "The captain s", ["aid", "ang"], 0, delimiter: "")] }; // one token of both
        Assert.Contains("stories, line 8: the choice 'aid'", Assert.Throws<NibbleException>(() => TaskEvaluator.Run(model, [joined])).Message, StringComparison.Ordinal);
        Assert.Contains("--num-fewshot", Assert.Throws<NibbleException>(() => TaskEvaluator.Run(model, [s_stories], new() { Shots = 7 })).Message, StringComparison.Ordinal);
        Assert.Contains("--limit", Assert.Throws<NibbleException>(() => TaskEvaluator.Run(model, [s_stories], new() { Limit = 0 })).Message, StringComparison.Ordinal);
    }

    private sealed class Steps(Action<EvaluationProgress> act) : IProgress<EvaluationProgress>
    {
        public EvaluationProgress Last { get; private set; }

        public void Report(EvaluationProgress value)
        {
            Last = value;
            act(value);
        }
    }
}
