using Nibble.Evaluation;
using Nibble.Evaluation.Cards;
using Nibble.Evaluation.Tasks;
using Nibble.Files;

namespace Nibble.Tests.Evaluation.Cards;

public class EvaluationRecordTests
{
    private static readonly EvaluationRecord s_full = new()
    {
        Version = "1.2.3",
        Recipe = "Q4_K_M",
        Text = new("wiki.test.raw", new string('a', 64), 512, null, 40, 10_200, "q8_0"),
        Perplexity = new(88.4, 3.1),
        Base = new("tiny-F32.gguf", new string('b', 64), "f16"),
        Divergence = new(new(87.9, 3.09), new(1.0056, 0.0012), new(0.0041, 0.00005), 0.003, 0.008, 0.0105, 0.0189, 0.0407, 0.117, new(0.9426, 0.003)),
        Tasks = [Score("arc_easy", "acc", 0.7, 2376), Score("arc_easy", "acc_norm", 0.65, 2376), Score("my.own-task", "exact_match,strict-match", 0.2, 250) with { Shots = 5, Seed = -7, Limit = 250, Cache = "q4_0 (rotated)" }],
    };

    [Fact]
    public void Metadata_keeps_all_of_it()
    {
        Metadata metadata = new("a file");
        metadata["general.name"] = MetadataValue.Of("tiny");
        s_full.Write(metadata);
        Equal(s_full, EvaluationRecord.Read(metadata)!);
        Assert.Equal(0.0041, metadata.Float("nibble.eval.kld.mean"));
        Assert.Equal("wiki.test.raw", metadata.String("nibble.eval.text.name"));
        Assert.Equal(0.65, metadata.Float("nibble.eval.task.arc_easy.acc_norm"));
        EvaluationRecord less = new() { Perplexity = new(3, 0.1) };
        less.Write(metadata);
        Equal(less, EvaluationRecord.Read(metadata)!);
        Assert.Equal("tiny", metadata.String("general.name"));
    }

    [Fact]
    public void An_error_that_is_unknown_is_left_out_and_stays_unknown()
    {
        Metadata metadata = new("a file");
        EvaluationRecord single = s_full with { Perplexity = new(88.4, double.NaN), Tasks = [Score("copa", "acc", 1, 1) with { Error = double.NaN }] };
        single.Write(metadata);
        Assert.False(metadata.Contains("nibble.eval.perplexity_error"));
        Assert.False(metadata.Contains("nibble.eval.task.copa.acc_error"));
        Equal(single, EvaluationRecord.Read(metadata)!);
        Assert.Equal("88.40", EvaluationRecord.Read(metadata)!.Perplexity!.Value.ToText("F2"));
        Assert.Equal("100.00 %", Assert.Single(EvaluationRecord.Read(metadata)!.Tasks).Text);
    }

    [Fact]
    public void Another_cache_is_another_measurement()
    {
        EvaluationRecord other = s_full.With(new() { Text = s_full.Text! with { Cache = "f16" }, Perplexity = new(80, 1) });
        Assert.Null(other.Divergence);
    }

    [Theory]
    [InlineData(false, 10_200, "f16", "a KL divergence over 10,200 tokens of wiki.test.raw (windows of 512, cache q8_0); a perplexity over 10,200 tokens of wiki.test.raw (windows of 512, cache f16)")]
    [InlineData(false, 300_000, "q8_0", "a KL divergence over 10,200 tokens")]
    [InlineData(true, 10_199, "q8_0", "a KL divergence over 10,200 tokens")]
    [InlineData(true, 10_201, "f16", null)]
    [InlineData(false, 10_200, "q8_0", null)]
    public void A_fuller_measurement_is_not_lost_unawares(bool hasDivergence, long tokens, string cache, string? lost)
    {
        PlannedMeasurement planned = PlannedMeasurement.Of(s_full.Text! with { Tokens = tokens, Cache = cache }, hasDivergence);
        if (lost is null) Assert.Null(planned.LostFrom(s_full));
        else Assert.StartsWith(lost, planned.LostFrom(s_full), StringComparison.Ordinal);
        Assert.Null(planned.LostFrom(new EvaluationRecord()));
    }

    [Fact]
    public void Fewer_questions_of_a_task_do_not_replace_more()
    {
        EvaluationTask task = Questions("arc_easy", 2376);
        Assert.Equal("the score of 2,376 questions of arc_easy; one of 2,375", PlannedMeasurement.Of([task], new Nibble.Evaluation.Tasks.EvaluationOptions { Limit = 2375 }).LostFrom(s_full));
        Assert.Null(PlannedMeasurement.Of([task], new Nibble.Evaluation.Tasks.EvaluationOptions()).LostFrom(s_full));
        Assert.Null(PlannedMeasurement.Of([task with { Name = "piqa" }], new Nibble.Evaluation.Tasks.EvaluationOptions { Limit = 1 }).LostFrom(s_full));
    }

    private static EvaluationTask Questions(string name, int count) =>
        new(name, TaskDomain.Reasoning, [TaskMetric.Accuracy], [.. Enumerable.Range(0, count).Select(i => ChoiceItem.OfContinuations($"{i}", "q", ["a", "b"], 0))]);

    [Fact]
    public void Two_tasks_of_a_group_do_not_replace_the_score_of_all()
    {
        EvaluationRecord record = s_full with { Tasks = [s_full.Tasks[0] with { Task = "mmlu", Items = 14_042 }] };
        EvaluationTask[] parts = [Questions("mmlu_astronomy", 150) with { Group = "mmlu" }, Questions("mmlu_virology", 150) with { Group = "mmlu" }];
        Assert.Equal("the score of 14,042 questions of mmlu; one of 300", PlannedMeasurement.Of(parts, new Nibble.Evaluation.Tasks.EvaluationOptions()).LostFrom(record));
        Assert.Null(PlannedMeasurement.Of([parts[0]], new Nibble.Evaluation.Tasks.EvaluationOptions()).LostFrom(record)); // one alone has no score of the group
    }

    [Fact]
    public void The_same_text_under_another_name_is_the_same()
    {
        EvaluationRecord renamed = new() { Text = s_full.Text! with { Name = "renamed.txt" }, Perplexity = new(5, 0.1) };
        Assert.Equal(s_full.Divergence, s_full.With(renamed).Divergence);
        Assert.Null(PlannedMeasurement.Of(renamed.Text!, hasDivergence: false).LostFrom(s_full));
    }

    [Fact]
    public void Nothing_is_nothing() => Assert.Null(EvaluationRecord.Read(new Metadata("a file")));

    [Fact]
    public void A_later_perplexity_of_the_same_text_keeps_the_divergence_and_one_of_another_does_not()
    {
        EvaluationRecord same = s_full.With(new() { Text = s_full.Text, Perplexity = new(80, 1) });
        Assert.Equal(s_full.Divergence, same.Divergence);
        Assert.Equal(new Estimate(80, 1), same.Perplexity);
        EvaluationRecord other = s_full.With(new() { Text = s_full.Text! with { ContextLength = 256 }, Perplexity = new(80, 1) });
        Assert.Null(other.Divergence);
        Assert.Null(other.Base);
        Assert.Equal(s_full.Tasks, other.Tasks);
    }

    [Fact]
    public void Later_tasks_join_earlier_ones_and_replace_all_of_those_of_the_same_name()
    {
        EvaluationRecord later = s_full.With(new() { Tasks = [Score("arc_easy", "acc", 0.8, 100), Score("piqa", "acc", 0.6, 500)] });
        Assert.Equal(s_full.Text, later.Text);
        Assert.Equal(s_full.Divergence, later.Divergence);
        Assert.Equal([("my.own-task", "exact_match,strict-match", 0.2), ("arc_easy", "acc", 0.8), ("piqa", "acc", 0.6)], later.Tasks.Select(t => (t.Task, t.Metric, t.Value)));
    }

    [Fact]
    public void A_value_of_the_wrong_type_is_told_with_its_key()
    {
        Metadata metadata = new("a file");
        s_full.Write(metadata);
        metadata["nibble.eval.kld.mean"] = MetadataValue.Of("much");
        Assert.Contains("nibble.eval.kld.mean", Assert.Throws<NibbleException>(() => EvaluationRecord.Read(metadata)).Message, StringComparison.Ordinal);
    }

    private static TaskScore Score(string task, string metric, double value, int items) => new(task, metric, value, 0.01, items, 0, 1234, null, "f16");

    private static void Equal(EvaluationRecord expected, EvaluationRecord actual)
    {
        Assert.Equal(expected.Tasks, actual.Tasks);
        Assert.Equal(expected, actual with { Tasks = expected.Tasks }); // lists are equal only where they are the same
    }
}
