using Nibble.Formats;
using Nibble.Generation;
using Nibble.Kernels;
using Nibble.Models;

namespace Nibble.Tests.Models;

public class SessionBatchTests
{
    private static readonly string[] s_prompts = ["Once upon a time", "The captain said", "It was a bright morning, and", "She opened the old door and saw that the"];

    [Theory]
    [InlineData("F32", "F16")]
    [InlineData("Q8_0", "F16")]
    [InlineData("Q4_K_M", "Q8_0")]
    public void Texts_that_go_on_together_go_on_as_each_alone(string level, string cache)
    {
        CacheOptions options = new() { KeyFormat = CacheOptions.ParseFormat(cache), ValueFormat = CacheOptions.ParseFormat(cache) };
        using LanguageModel model = SampleModel.Open(level, threads: 2);
        int[][] prompts = [.. s_prompts.Select(p => model.Tokenizer.Encode(p))];
        List<int>[] together = Generate(model, options, prompts);
        for (int i = 0; i < prompts.Length; i++)
        {
            // Alone in a batch, and the way that needs no batch.
            List<int> alone = Generate(model, options, [prompts[i]])[0];
            using TextGenerator generator = new(model, 64, options);
            int[] usual = [.. generator.Generate(prompts[i], new() { Temperature = 0, MaxTokens = 24, IgnoreEnd = true })];
            Assert.Equal(usual, alone);
            Assert.Equal(usual, together[i]);
        }
    }

    [Fact]
    public void Scores_are_those_of_each_text_whatever_the_threads()
    {
        RandomModel shape = new("llama") { Context = 900 };
        using RunningModel model = new(shape.Build(), threads: 3);
        int[][] texts = [[.. Enumerable.Range(0, 700).Select(i => i * 7919 % 61)], [1, 2, 3], [5], [.. Enumerable.Range(0, 40)]];
        Session[] sessions = [.. texts.Select(_ => model.Start(900))];
        using SessionBatch batch = new(model.Network, model.Pool);
        // Different numbers of tokens at a time: a prompt beside a text that goes on token by token.
        batch.Append([.. texts.Select((t, i) => new SessionTokens(sessions[i], t.AsMemory(0, Math.Max(1, t.Length - 2))))]);
        for (int i = 0; i < texts.Length; i++) Assert.Equal(texts[i][..Math.Max(1, texts[i].Length - 2)], sessions[i].Tokens);
        Activations scores = batch.Append([new(sessions[3], texts[3].AsMemory(38)), new(sessions[0], texts[0].AsMemory(698)), new(sessions[1], texts[1].AsMemory(1))]);
        Assert.Equal(3, scores.Tokens);
        int[] order = [3, 0, 1];
        for (int row = 0; row < order.Length; row++)
        {
            using Session alone = model.Start(900);
            foreach ((float expected, float actual) in alone.Append(texts[order[row]]).ToArray().Zip(scores.Read(row).ToArray())) Assert.Equal(expected, actual, 1e-3);
        }
        foreach (Session session in sessions) session.Dispose();
    }

    [Fact]
    public void Several_tokens_of_a_text_are_scored_and_none_of_another()
    {
        using RunningModel model = new(new RandomModel("llama").Build(), threads: 2);
        int[] text = [5, 17, 3, 40, 22];
        float[][] alone = model.Logits(text);
        using Session many = model.Start(8), none = model.Start(8), one = model.Start(8);
        using SessionBatch batch = new(model.Network, model.Pool);
        Activations scores = batch.Append([new(many, text, 3), new(none, text, 0), new(one, text)]);
        Assert.Equal(4, scores.Tokens);
        int[] expected = [2, 3, 4, 4];
        for (int row = 0; row < expected.Length; row++)
            foreach ((float e, float a) in alone[expected[row]].Zip(scores.Read(row).ToArray())) Assert.Equal(e, a, 1e-3);
        Assert.Equal(text, none.Tokens);
        Assert.Throws<ArgumentException>(() => batch.Append([new(one, Of(1), 2)]));
        Assert.Throws<ArgumentException>(() => batch.Append([new(one, Of(1), -1)]));
        Assert.Equal(text, one.Tokens);
    }

    [Fact]
    public void What_cannot_be_appended_changes_no_session()
    {
        using RunningModel model = new(new RandomModel("llama").Build()), other = new(new RandomModel("llama").Build());
        using SessionBatch batch = new(model.Network, model.Pool);
        using Session first = model.Start(8), second = model.Start(8), stranger = other.Start(8), different = model.Start(8, new() { KeyFormat = WeightFormat.Of<F32>() });
        SessionTokens good = new(first, Of(1, 2));
        Assert.Throws<ArgumentException>(() => batch.Append([]));
        Assert.Throws<ArgumentException>(() => batch.Append([good, new(second, default)]));
        Assert.Throws<ArgumentException>(() => batch.Append([good, new(stranger, Of(1))]));
        Assert.Throws<ArgumentException>(() => batch.Append([good, new(different, Of(1))]));
        Assert.Throws<ArgumentException>(() => batch.Append([good, good]));
        Assert.Throws<NibbleException>(() => batch.Append([good, new(second, Of(61))]));
        Assert.Contains("context of 8", Assert.Throws<NibbleException>(() => batch.Append([good, new(second, new int[9])])).Message, StringComparison.Ordinal);
        Assert.Empty(first.Tokens);
        Assert.Equal(2, batch.Append([good, new(second, Of(4))]).Tokens);
    }

    private static ReadOnlyMemory<int> Of(params int[] tokens) => tokens;

    /// <summary>The 24 likeliest tokens after each prompt, all texts together.</summary>
    private static List<int>[] Generate(LanguageModel model, CacheOptions options, int[][] prompts)
    {
        Session[] sessions = [.. prompts.Select(_ => model.CreateSession(64, options))];
        using SessionBatch batch = model.CreateBatch();
        List<int>[] generated = [.. prompts.Select(_ => new List<int>())];
        ReadOnlyMemory<int>[] next = [.. prompts.Select(p => new ReadOnlyMemory<int>(p))];
        while (generated[0].Count < 24)
        {
            Activations scores = batch.Append([.. sessions.Select((s, i) => new SessionTokens(s, next[i]))]);
            for (int i = 0; i < prompts.Length; i++)
            {
                ReadOnlySpan<float> row = scores.Read(i);
                generated[i].Add(System.Numerics.Tensors.TensorPrimitives.IndexOfMax(row));
                next[i] = new[] { generated[i][^1] };
            }
        }
        foreach (Session session in sessions) session.Dispose();
        return generated;
    }
}
