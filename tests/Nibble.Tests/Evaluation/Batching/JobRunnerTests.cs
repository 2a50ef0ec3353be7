using Nibble.Evaluation.Divergence;
using Nibble.Evaluation.Tasks;
using Nibble.Generation;

namespace Nibble.Tests.Evaluation.Batching;

public class JobRunnerTests
{
    [Theory]
    [InlineData("blk.0.attn_v.weight", "layer 0, between blk.0.attn_v.weight and blk.0.attn_output.weight")]
    [InlineData("blk.2.ffn_up.weight", "layer 2, between blk.2.ffn_up.weight and blk.2.ffn_down.weight")]
    [InlineData("output.weight", "begin in output.weight")]
    public void Damaged_weights_are_reported_with_the_file_and_the_layer(string damaged, string where)
    {
        using TemporaryFolder folder = new();
        string path = folder.Write("damaged.gguf", SampleModel.Damaged(damaged));
        using LanguageModel model = LanguageModel.Open(path, 1);
        // Many questions at once, and few: the text at fault need not be the first of its pass.
        EvaluationTask task = new("apples", TaskDomain.Language, [TaskMetric.Accuracy],
            [.. Enumerable.Range(0, 40).Select(i => ChoiceItem.OfContinuations($"{i}", $"There were {i} apples and the girl", ["ate them all.", "went home."], 0))]);
        Check(Assert.Throws<NibbleException>(() => TaskEvaluator.Run(model, [task])).Message);
        Check(Assert.Throws<NibbleException>(() => GreedyText.Generate(model, [new DiffPrompt("Once upon a time", false)], 4)).Message);

        void Check(string message)
        {
            Assert.StartsWith($"{path}: the model's scores are not a number", message, StringComparison.Ordinal);
            Assert.Contains(where, message, StringComparison.Ordinal);
        }
    }
}
