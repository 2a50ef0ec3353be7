using Nibble.Evaluation.Tasks;
using Nibble.Generation;

namespace Nibble.Tests.Evaluation.Tasks;

public class TaskFileTests
{
    [Fact]
    public void Each_form_becomes_its_kind_of_question()
    {
        EvaluationTask choices = Read("""{"id": "first", "query": "Fog is", "choices": ["wet", "dry"], "gold": 1}""", """{"query": "雨は", "choices": ["濡れる", "乾く"], "gold": 0, "delimiter": ""}""");
        Assert.Equal(("mine", "first", "line 2"), (choices.Name, choices.Items[0].Id, choices.Items[1].Id));
        Assert.Equal(new("Fog is", " dry"), ((ChoiceItem)choices.Items[0]).Texts[1]);
        Assert.Equal(new("雨は", "濡れる"), ((ChoiceItem)choices.Items[1]).Texts[0]);
        Assert.Equal(["acc", "acc_norm", "acc_bytes"], choices.Metrics.Select(m => m.Name));
        Assert.Equal(["acc"], Read("""{"context_options": ["a", "b"], "continuation": "c", "gold": 1}""").Metrics.Select(m => m.Name));
        Assert.Equal(["acc"], Read("""{"context_options": ["a", "a"], "continuation": "c", "gold": 1}""").Metrics.Select(m => m.Name));
        Assert.Equal("\U0001F600", ((PredictionItem)Read("""{"context": "\ud83d\ude00", "continuation": "b"}""").Items[0]).Text.Context);
        Assert.Equal(["perplexity", "acc"], Read("""{"context": "a", "continuation": "b"}""").Metrics.Select(m => m.Name));

        EvaluationTask generated = Read("""{"prompt": "2 + 2 =", "answer": 4, "extract": "is (\\d+)"}""", """{"prompt": "Say it.", "answer": "it", "until": ["."], "max_tokens": 5}""");
        Assert.Equal(1, generated.Metrics[0].OfItem(generated.Items[0], Text("The sum is 4, or is 5")));
        Assert.Equal(0, generated.Metrics[0].OfItem(generated.Items[0], Text("4")));
        Assert.Equal(1, generated.Metrics[0].OfItem(generated.Items[1], Text(" it\n")));
        Assert.Equal((5, "."), (((GenerationItem)generated.Items[1]).MaxTokens, ((GenerationItem)generated.Items[1]).Until[0]));

        static ItemOutcome Text(string text) => new([], [], text, 0);
    }

    [Theory]
    [InlineData("""{"choices": ["a", "b"], "gold": 0}""", "line 2: has none of the fields \"query\"")]
    [InlineData("""{"query": "q", "choices": ["a", "b"]}""", "line 2: the field \"gold\" is missing")]
    [InlineData("""{"query": "q", "choices": ["a", "b"], "gold": 2}""", "line 2: the field \"gold\" is 2, and must be from 0 to 1")]
    [InlineData("""{"query": "q", "choices": ["a", "b"], "gold": 0.5}""", "line 2: the field \"gold\" must be a whole number, and is a number")]
    [InlineData("""{"query": "q", "choices": ["a", 1], "gold": 0}""", "line 2: the field \"choices\" must be a list of texts")]
    [InlineData("""{"context": "q"}""", "line 2: the field \"continuation\" is missing")]
    [InlineData("""{"prompt": "q", "answer": "a", "extract": "("}""", "line 2: the field \"extract\" is no regular expression")]
    [InlineData("""{"prompt": "q", "answer": "a", "max_tokens": 0}""", "line 2: the field \"max_tokens\" is 0")]
    [InlineData("""{"prompt": "q", "answer": "a"}""", "line 2: is of another form")]
    [InlineData("""{"context_options": ["a", "b"], "continuation": "c", "gold": 0}""", "line 2: is of another form")]
    [InlineData("""{"query": "\ud800", "choices": ["a", "b"], "gold": 0}""", "line 2: the field \"query\" has half of a surrogate pair")]
    [InlineData("""{"query": "q", "choices": ["a", "b \udc00"], "gold": 0}""", "line 2: the field \"choices\" has half of a surrogate pair")]
    [InlineData("""{"query": "q", "choices": ["a", "b"], "gold": "\ud83d"}""", "line 2: the field \"gold\" has half of a surrogate pair")]
    [InlineData("""{"id": "\ud800", "query": "q", "choices": ["a", "b"], "gold": 0}""", "line 2: the field \"id\" has half of a surrogate pair")]
    [InlineData("""{"\ud800": 1, "query": "q", "choices": ["a", "b"], "gold": 0}""", "line 2: the name of a field has half of a surrogate pair")]
    public void What_is_wrong_names_file_line_and_field(string line, string problem)
    {
        using TemporaryFolder folder = new();
        string path = folder.Write("mine.jsonl", """{"query": "q", "choices": ["a", "b"], "gold": 0}""" + "\n" + line);
        Assert.StartsWith($"{path}: {problem}", Assert.Throws<NibbleException>(() => TaskFile.Read(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_without_questions_are_refused()
    {
        using TemporaryFolder folder = new();
        Assert.Contains("no such file", Assert.Throws<NibbleException>(() => TaskFile.Read(folder.At("none.jsonl"))).Message, StringComparison.Ordinal);
        Assert.Contains("is empty", Assert.Throws<NibbleException>(() => TaskFile.Read(folder.Write("empty.jsonl", ""))).Message, StringComparison.Ordinal);
        Assert.Contains("has no items", Assert.Throws<NibbleException>(() => TaskFile.Read(folder.Write("blank.jsonl", "\n\n"))).Message, StringComparison.Ordinal);
        Assert.Contains("is not UTF-8", Assert.Throws<NibbleException>(() => TaskFile.Read(folder.Write("latin.jsonl", [(byte)'{', 0xFC, (byte)'}']))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_text_before_nothing_stands_after_the_token_that_begins_texts()
    {
        using LanguageModel model = SampleModel.Open("F32");
        EvaluationTask task = Read("""{"query": "", "choices": ["Once", "upon"], "gold": 0, "delimiter": ""}""");
        TaskResult result = Assert.Single(TaskEvaluator.Run(model, [task]));
        using Nibble.Models.Session session = model.CreateSession(8);
        double[] scores = [.. session.Append([model.Tokenizer.Bos!.Value]).ToArray().Select(v => (double)v)];
        int[] once = model.Tokenizer.Encode("Once", addSpecial: false);
        double expected = scores[once[0]] - Math.Log(scores.Sum(Math.Exp));
        for (int i = 1; i < once.Length; i++)
        {
            double[] next = [.. session.Append([once[i - 1]]).ToArray().Select(v => (double)v)];
            expected += next[once[i]] - Math.Log(next.Sum(Math.Exp));
        }
        Assert.Equal(expected, result.Items[0].Outcome.LogLikelihoods[0], 2e-3);
    }

    private static EvaluationTask Read(params string[] lines)
    {
        using TemporaryFolder folder = new();
        return TaskFile.Read(folder.Write("mine.jsonl", string.Join('\n', lines)));
    }
}
