using Nibble.Evaluation.Tasks;

namespace Nibble.Tests.Evaluation.Tasks;

/// <summary>The measures of items whose log-likelihoods are given, counted by hand.</summary>
public class TaskMetricTests
{
    private static readonly ChoiceItem s_item = ChoiceItem.OfContinuations("1", "Wohin?", ["überall", "nirgends", "dort"], 2);

    [Theory]
    [InlineData(-7, -8.8, -4.5, 1, 0, 0)]   // sums: dort; per character -1, -1.1, -1.125; per byte -0.875, -1.1, -1.125
    [InlineData(-7.7, -8, -4.2, 1, 0, 0)]   // per character -1.1, -1, -1.05; per byte -0.9625, -1, -1.05
    [InlineData(-8, -12, -4.1, 1, 1, 0)]    // per character -1.143, -1.5, -1.025; per byte -1 of the eight bytes of überall
    [InlineData(-4, -4.5, -4, 0, 0, 0)]     // equal sums: the first counts
    public void Lengths_are_of_characters_or_bytes(double first, double second, double third, double acc, double perCharacter, double perByte)
    {
        ItemOutcome outcome = new([first, second, third], [false, false, false], null, 0);
        Assert.Equal(acc, TaskMetric.Accuracy.OfItem(s_item, outcome));
        Assert.Equal(perCharacter, TaskMetric.AccuracyPerCharacter.OfItem(s_item, outcome));
        Assert.Equal(perByte, TaskMetric.AccuracyPerByte.OfItem(s_item, outcome));
    }

    [Fact]
    public void Means_and_errors_follow_their_definitions()
    {
        PredictionItem item = new("1", new("a", " b"), "a b");
        EvaluationTask task = new("t", TaskDomain.Language, [TaskMetric.Perplexity, TaskMetric.GreedyAccuracy], [item, item, item, item]);
        TaskResult result = TaskResult.Of(task, [Outcome(-1, true), Outcome(-2, false), Outcome(-3, true), Outcome(-4, true)], 0);
        Assert.Equal(Math.Exp(2.5), result.Metrics[0].Value, 1e-12);
        Assert.Equal(Math.Exp(2.5) * Math.Sqrt(5.0 / 3 / 4), result.Metrics[0].Error, 1e-12); // variance (2.25 + 0.25 + 0.25 + 2.25) / 3
        Assert.Equal(0.75, result.Metrics[1].Value, 1e-12);
        Assert.Equal(0.25, result.Metrics[1].Error, 1e-12);                                    // sqrt(0.75 · 0.25 / 3)

        static ItemOutcome Outcome(double logLikelihood, bool isGreedy) => new([logLikelihood], [isGreedy], null, 0);
    }

    [Theory]
    [InlineData("So she makes 9 * 2 = $18 every day.\n#### 18", "18", "18")]
    [InlineData("#### 1,234.\nQuestion", "1,234.", "1,234.")]
    [InlineData("The answer is -$5", "[invalid]", "-$5")]
    [InlineData("It costs 7", "[invalid]", "7")]
    [InlineData("none", "[invalid]", "[invalid]")]
    [InlineData("first 12, then -34 or so", "[invalid]", "-34")]
    public void Answers_are_found_as_the_filters_find_them(string text, string afterHashes, string last)
    {
        Assert.Equal(afterHashes, AnswerExtraction.AfterHashes(text));
        Assert.Equal(last, AnswerExtraction.LastNumber(text));
    }

    [Theory]
    [InlineData("1,234.", "Some work.\nMore.\n#### 1234", true)]
    [InlineData("$18", "#### 18", true)]
    [InlineData("18.0", "#### 18", false)]
    [InlineData("[invalid]", "#### 18", false)]
    public void Numbers_are_compared_without_what_does_not_count(string found, string answer, bool isSame) => Assert.Equal(isSame, AnswerExtraction.IsSameNumber(found, answer));

    [Theory]
    [InlineData("1.234", "1234", true)]
    [InlineData("$18!", "18", true)]
    [InlineData("18 ", "18", false)]
    public void Punctuation_is_left_out(string found, string answer, bool isSame) => Assert.Equal(isSame, AnswerExtraction.IsSameWithoutPunctuation(found, answer));
}
