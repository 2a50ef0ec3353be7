using Nibble.Evaluation.Tasks;
using Nibble.Files;
using Nibble.Generation;

namespace Nibble.Tests.Evaluation.Tasks;

public class ItemJournalTests
{
    private static readonly string s_hash = new('a', 64);

    private static readonly EvaluationTask s_apples = new("apples", TaskDomain.Language, [TaskMetric.Accuracy],
        [ChoiceItem.OfContinuations("1", "There were apples and the girl", ["ate them all.", "went home."], 0)]);

    [Theory]
    [InlineData("""{"key":null,"ll":[-1,-2],"greedy":[true,false]}""")]
    [InlineData("""{"key":"KEY","ll":[-1],"greedy":[true,false]}""")]
    [InlineData("""{"key":"KEY","ll":[-1,-2],"greedy":[true]}""")]
    [InlineData("""{"key":"KEY","ll":[-1],"greedy":[true]}""")] // of another number of texts
    [InlineData("""{"key":"KEY","ll":[-1,-1e999],"greedy":[true,false]}""")]
    [InlineData("""{"key":"KEY","ll":[],"greedy":[]}""")]
    [InlineData("""{"key":"KEY","ll":[],"greedy":[],"text":null}""")]
    [InlineData("""{"key":"KEY","ll":[],"greedy":[],"text":"\ud800"}""")]
    [InlineData("""{"key":"KEY","ll":[],"greedy":[],"text":"of a question to score"}""")]
    [InlineData("""{"key":"KEY","ll":[-1,-2],"greedy":[true,false],"text":"both"}""")]
    [InlineData("[]")]
    public void A_damaged_entry_is_asked_again_and_replaced(string line)
    {
        using TemporaryFolder folder = new();
        using LanguageModel model = SampleModel.Open("Q8_0");
        EvaluationOptions options = new() { JournalFolder = folder.Path };
        TaskResult expected = Assert.Single(TaskEvaluator.Run(model, [s_apples], options));
        string path = Assert.Single(Directory.GetFiles(folder.Path)), key = File.ReadAllText(path).Split('"')[3];
        File.WriteAllText(path, line.Replace("KEY", key, StringComparison.Ordinal) + "\n");

        Last damaged = new(), again = new();
        TaskResult result = Assert.Single(TaskEvaluator.Run(model, [s_apples], options, damaged));
        Assert.Equal(0, damaged.Value.KeptItems);
        Assert.Equal(expected.Items[0].Outcome.LogLikelihoods, result.Items[0].Outcome.LogLikelihoods);
        TaskEvaluator.Run(model, [s_apples], options, again);
        Assert.Equal(1, again.Value.KeptItems);
    }

    [Fact]
    public void A_generated_answer_without_its_text_counts_for_nothing()
    {
        using TemporaryFolder folder = new();
        using ModelFile file = ModelFile.Open(SampleModel.At("Q8_0"));
        using (ItemJournal journal = ItemJournal.Open(folder.Path, file, s_hash, null)) journal.Add("text", new([], [], "an answer", 0));
        string path = Assert.Single(Directory.GetFiles(folder.Path));
        File.AppendAllText(path, "{\"key\":\"none\",\"ll\":[],\"greedy\":[]}\n");
        using ItemJournal read = ItemJournal.Open(folder.Path, file, s_hash, null);
        Assert.Equal("an answer", read.Find("text", 0)!.Text);
        Assert.Null(read.Find("text", 2));
        Assert.Null(read.Find("none", 0));
    }

    [Fact]
    public void An_impossible_text_is_not_kept()
    {
        using TemporaryFolder folder = new();
        using ModelFile file = ModelFile.Open(SampleModel.At("Q8_0"));
        using (ItemJournal journal = ItemJournal.Open(folder.Path, file, s_hash, null))
        {
            journal.Add("impossible", new([-1, double.NegativeInfinity], [true, false], null, 0));
            journal.Add("possible", new([-1, -2], [true, false], null, 0));
        }
        using ItemJournal read = ItemJournal.Open(folder.Path, file, s_hash, null);
        Assert.Null(read.Find("impossible", 2));
        Assert.Equal([-1.0, -2.0], read.Find("possible", 2)!.LogLikelihoods);
    }

    [Fact]
    public void A_model_that_differs_in_one_bit_is_asked_anew()
    {
        using TemporaryFolder folder = new();
        byte[] bytes = File.ReadAllBytes(SampleModel.At("F32"));
        string one = folder.Write("one.gguf", bytes);
        bytes[(1 << 20) + (1 << 14) + 4096] ^= 1; // between the pieces that ContentIdentity reads
        string other = folder.Write("other.gguf", bytes);
        using LanguageModel first = LanguageModel.Open(one, 1), second = LanguageModel.Open(other, 1);
        Assert.Equal(ContentIdentity.Of(first.File), ContentIdentity.Of(second.File));

        EvaluationOptions options = new() { JournalFolder = folder.At("kept") };
        TaskEvaluator.Run(first, [s_apples], options);
        Last same = new(), changed = new();
        TaskEvaluator.Run(first, [s_apples], options with { ModelSha256 = HashedFile.Of(one).Sha256 }, same);
        TaskEvaluator.Run(second, [s_apples], options, changed);
        Assert.Equal((1, 0), (same.Value.KeptItems, changed.Value.KeptItems));
    }

    private sealed class Last : IProgress<EvaluationProgress>
    {
        public EvaluationProgress Value { get; private set; }

        public void Report(EvaluationProgress value) => Value = value;
    }
}
