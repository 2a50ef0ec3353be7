using Nibble.Evaluation;
using Nibble.Evaluation.Cards;
using Nibble.Files;

namespace Nibble.Tests.Evaluation.Cards;

public class EvaluationRecordTests
{
    private static readonly EvaluationRecord s_full = new()
    {
        Version = "1.2.3",
        Recipe = "Q4_K_M",
        Text = new("wiki.test.raw", new string('a', 64), 512, null, 40, 10_200),
        Perplexity = new(88.4, 3.1),
        Base = new("tiny-F32.gguf", new string('b', 64)),
        Divergence = new(new(87.9, 3.09), new(1.0056, 0.0012), new(0.0041, 0.00005), 0.003, 0.008, 0.0105, 0.0189, 0.0407, 0.117, new(0.9426, 0.003)),
        Tasks = [new("arc_easy", "acc", 0.7, 0.01, 2376), new("arc_easy", "acc_norm", 0.65, 0.01, 2376), new("my.own-task", "exact_match", 0.2, 0.02, 250, 5)],
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
    public void Later_tasks_join_earlier_ones_and_replace_those_of_the_same_name()
    {
        EvaluationRecord later = s_full.With(new() { Tasks = [new("arc_easy", "acc", 0.8, 0.01, 100), new("piqa", "acc", 0.6, 0.02, 500)] });
        Assert.Equal(s_full.Text, later.Text);
        Assert.Equal(s_full.Divergence, later.Divergence);
        Assert.Equal([("arc_easy", "acc_norm", 0.65), ("my.own-task", "exact_match", 0.2), ("arc_easy", "acc", 0.8), ("piqa", "acc", 0.6)], later.Tasks.Select(t => (t.Task, t.Metric, t.Value)));
    }

    [Fact]
    public void A_value_of_the_wrong_type_is_told_with_its_key()
    {
        Metadata metadata = new("a file");
        s_full.Write(metadata);
        metadata["nibble.eval.kld.mean"] = MetadataValue.Of("much");
        Assert.Contains("nibble.eval.kld.mean", Assert.Throws<NibbleException>(() => EvaluationRecord.Read(metadata)).Message, StringComparison.Ordinal);
    }

    private static void Equal(EvaluationRecord expected, EvaluationRecord actual)
    {
        Assert.Equal(expected.Tasks, actual.Tasks);
        Assert.Equal(expected, actual with { Tasks = expected.Tasks }); // lists are equal only where they are the same
    }
}
