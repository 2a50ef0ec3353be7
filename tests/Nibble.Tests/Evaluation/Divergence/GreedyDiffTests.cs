using Nibble.Evaluation.Divergence;
using Nibble.Generation;

namespace Nibble.Tests.Evaluation.Divergence;

public class GreedyDiffTests
{
    [Theory]
    [InlineData("{}", true)]
    [InlineData("  [1, {\"a\": null}] and more", true)]
    [InlineData("```json\n{\"a\": [1, 2]}\n```", true)]
    [InlineData("{\"a\": 1", false)]
    [InlineData("{'a': 1}", false)]
    [InlineData("{\"a\": 1,}", false)]
    [InlineData("Sure: {\"a\": 1}", false)]
    [InlineData("12", false)]
    [InlineData("```", false)]
    [InlineData("", false)]
    public void A_text_is_JSON_where_it_begins_with_a_complete_value(string text, bool isValid) => Assert.Equal(isValid, JsonValidity.IsValid(text));

    [Fact]
    public void Agreement_is_counted_by_hand()
    {
        DiffPrompt plain = new("p", false), json = new("j", true);
        GreedyDiff diff = GreedyDiff.Of([plain, plain, json, json],
            [Text("abcdefgh"), Text("abcdefgh"), Text("{}"), Text("[1]")],
            [Text("abcdefgh"), Text("abxdefgh"), Text("{}"), Text("[1,")], tokens: 8);
        Assert.Equal([8, 2, 2, 2], diff.Prompts.Select(p => p.Alike));
        Assert.Equal([true, false, true, false], diff.Prompts.Select(p => p.IsSame)); // the third ended alike
        Assert.Equal([(1, 4), (2, 4), (4, 2), (8, 2)], diff.Agreements.Select(a => (a.Tokens, a.Prompts)));
        Assert.Equal("ab", diff.Prompts[1].First.First(2));
        Assert.Equal((2, 1.0, 0.5, 0, 1), (diff.Json!.Items, diff.Json.Base, diff.Json.Variant, diff.Json.Gained!.Value, diff.Json.Lost!.Value));

        static GreedyText Text(string text) => new([.. text.Select(c => (int)c)], text, [.. Enumerable.Range(1, text.Length)]);
    }

    [Fact]
    public void Texts_are_those_of_the_generation_loop_and_a_model_agrees_with_itself()
    {
        DiffPrompt[] prompts = [new("Once upon a time", false), new("The captain said", false), new("The captain said to the", false)];
        using LanguageModel model = SampleModel.Open("Q8_0", threads: 2);
        IReadOnlyList<GreedyText> texts = GreedyText.Generate(model, prompts, 16);
        for (int i = 0; i < prompts.Length; i++)
        {
            using TextGenerator generator = new(model, 64);
            int[] expected = [.. generator.Generate(model.Tokenizer.Encode(prompts[i].Text), new() { Temperature = 0, MaxTokens = 16 })];
            Assert.Equal(expected, texts[i].Tokens);
            Assert.Equal(model.Tokenizer.Decode(expected.AsSpan(0, 5)), texts[i].First(5));
        }
        GreedyDiff same = GreedyDiff.Of(prompts, texts, GreedyText.Generate(model, prompts, 16), 16);
        Assert.All(same.Agreements, a => Assert.Equal(1, a.Share));
        Assert.Equal([1, 2, 4, 8, 16], same.Agreements.Select(a => a.Tokens));
        Assert.Contains("prompt 1", Assert.Throws<NibbleException>(() => GreedyText.Generate(model, prompts, 1000)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Prompts_are_lines_or_fields()
    {
        using TemporaryFolder folder = new();
        Assert.Equal([new("One", false), new DiffPrompt("Answer in JSON: two", true)], DiffPrompt.ReadFile(folder.Write("p.txt", "One\r\n\nAnswer in JSON: two\n")));
        Assert.Equal([new("a\nb", true), new DiffPrompt("json", false)], DiffPrompt.ReadFile(folder.Write("p.jsonl", "{\"prompt\": \"a\\nb\", \"json\": true}\n{\"prompt\": \"json\", \"json\": false}")));
        Assert.Contains("line 1: the field \"prompt\" is missing", Assert.Throws<NibbleException>(() => DiffPrompt.ReadFile(folder.Write("q.jsonl", "{}"))).Message, StringComparison.Ordinal);
        string half = folder.Write("half.jsonl", """{"prompt": "\ud800"}""");
        Assert.StartsWith($"{half}: line 1: the field \"prompt\" has half of a surrogate pair", Assert.Throws<NibbleException>(() => DiffPrompt.ReadFile(half)).Message, StringComparison.Ordinal);
        Assert.Contains("no prompts", Assert.Throws<NibbleException>(() => DiffPrompt.ReadFile(folder.Write("q.txt", "\n \n"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_vocabulary_is_refused()
    {
        Nibble.Tokenizers.Tokenizer ours = Nibble.Tokenizers.Tokenizer.Open(Shared.TinyModel), theirs = Nibble.Tokenizers.Tokenizer.Open(Shared.Find("tokenizers/ggml-vocab-gpt-2.gguf"));
        VocabularyComparison.Require(ours, "ours", ours, "same");
        Assert.StartsWith("theirs: ", Assert.Throws<NibbleException>(() => VocabularyComparison.Require(ours, "ours", theirs, "theirs")).Message, StringComparison.Ordinal);
    }
}
