using System.Runtime.InteropServices;
using Nibble.Formats;
using Nibble.Generation;
using Nibble.Kernels;
using Nibble.Models;

namespace Nibble.Tests.Models;

public class SessionTests
{
    [Fact]
    public void Scores_of_the_sample_model_are_the_expected_ones()
    {
        GoldenTensors golden = GoldenTensors.Read(Shared.Find("golden/tiny-logits.safetensors"));
        int[] tokens = MemoryMarshal.Cast<byte, int>(golden.Bytes("tokens")).ToArray();
        ReadOnlySpan<float> expected = golden.Floats("logits");
        using LanguageModel model = SampleModel.Open();
        Assert.Equal(tokens, model.Tokenizer.Encode("It was a bright morning, and the captain"));
        using Session session = model.CreateSession(128);
        Activations logits = session.Append(tokens, 0);
        float largest = 0;
        for (int t = 0; t < tokens.Length; t++)
            for (int i = 0; i < 4096; i++) largest = Math.Max(largest, Math.Abs(logits.Read(t)[i] - expected[t * 4096 + i]));
        Assert.True(largest < 1e-3f, $"scores differ by {largest}");
    }

    [Theory]
    [InlineData("F32")]
    [InlineData("Q4_K_M")]
    [InlineData("Q5_1")]
    public void Scores_do_not_depend_on_threads_and_hardly_on_batches(string level)
    {
        int[] tokens = Tokens(50);
        float[] expected = Scores(1, 50);
        foreach (int threads in new[] { 2, 3 }) Assert.Equal(expected, Scores(threads, 50));
        // Sums are added up in another order token by token, and where activations are rounded to 8 bits a last bit may become a step of them.
        foreach (int batch in new[] { 1, 7 })
            foreach ((float one, float other) in Scores(2, batch).Zip(expected)) Assert.Equal(other, one, level == "F32" ? 2e-3 : 0.15);

        float[] Scores(int threads, int batch)
        {
            using LanguageModel model = SampleModel.Open(level, threads);
            using Session session = model.CreateSession(120);
            List<float> last = [];
            for (int start = 0; start < tokens.Length; start += batch)
                last = [.. session.Append(tokens.AsSpan(start, Math.Min(batch, tokens.Length - start)))];
            return [.. last];
        }
    }

    [Fact]
    public void Scoring_from_any_token_on_gives_the_same_rows()
    {
        int[] tokens = Tokens(40);
        using LanguageModel model = SampleModel.Open("Q8_0");
        using Session all = model.CreateSession(40), part = model.CreateSession(40);
        Activations expected = all.Append(tokens, 0), actual = part.Append(tokens, 13);
        Assert.Equal(27, actual.Tokens);
        for (int t = 13; t < 40; t++) Assert.Equal(expected.Read(t), actual.Read(t - 13));
    }

    [Fact]
    public void A_truncated_text_goes_on_as_if_the_rest_had_never_been()
    {
        int[] tokens = Tokens(30);
        using LanguageModel model = SampleModel.Open("Q8_0");
        using Session session = model.CreateSession(64), fresh = model.CreateSession(30);
        session.Append(Tokens(60));
        session.Truncate(11);
        session.Append([1, 2, 3]);
        session.Truncate(11);
        Assert.Equal(tokens[..11], session.Tokens);
        Assert.Equal(fresh.Append(tokens), session.Append(tokens.AsSpan(11)));
        Assert.Equal(tokens, session.Tokens);
    }

    [Fact]
    public void A_full_context_and_foreign_tokens_are_refused_and_change_nothing()
    {
        using LanguageModel model = SampleModel.Open("Q8_0");
        using Session session = model.CreateSession(8);
        session.Append(Tokens(5));
        Assert.Contains("context of 8", Assert.Throws<NibbleException>(() => session.Append(Tokens(4)).Length).Message, StringComparison.Ordinal);
        Assert.Contains("4096", Assert.Throws<NibbleException>(() => session.Append([4096]).Length).Message, StringComparison.Ordinal);
        Assert.Throws<NibbleException>(() => session.Append([-1]).Length);
        Assert.Equal(5, session.Tokens.Count);
        session.Append(Tokens(3));
        Assert.Equal(8, session.Tokens.Count);
    }

    [Theory]
    [InlineData(int.MaxValue)]
    [InlineData(1 << 30)]
    public void A_context_beyond_all_memory_is_refused_with_its_size(int contextLength)
    {
        using RunningModel model = new(new RandomModel("llama") { Layers = 8, KeyHeads = 32, Heads = 32, HeadSize = 1024, Width = 2, Hidden = 2 }.Build());
        string message = Assert.Throws<NibbleException>(() => model.Start(contextLength)).Message;
        Assert.Contains("GB", message, StringComparison.Ordinal);
        Assert.Contains("--ctx", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_text_longer_than_a_batch_equals_a_text_token_by_token()
    {
        RandomModel shape = new("llama") { Context = 700 };
        using RunningModel model = new(shape.Build(), threads: 2);
        int[] tokens = [.. Enumerable.Range(0, 600).Select(i => i * 7919 % 61)];
        using Session whole = model.Start(600), single = model.Start(600);
        float[] expected = [];
        foreach (int token in tokens) expected = [.. single.Append([token])];
        foreach ((float one, float other) in whole.Append(tokens).ToArray().Zip(expected)) Assert.Equal(other, one, 1e-3);
    }

    [Fact]
    public void A_text_may_have_32768_tokens()
    {
        RandomModel shape = new("llama") { Context = 1 << 15, Layers = 1, Width = 16, Hidden = 16, Heads = 2, KeyHeads = 1, HeadSize = 8 };
        GgufModel file = shape.Build();
        using RunningModel model = new(file, threads: 2);
        int[] tokens = [.. Enumerable.Range(0, shape.Context).Select(i => i * 7919 % 61)];
        using Session session = model.Start(shape.Context, new() { KeyFormat = WeightFormat.Of<F32>(), ValueFormat = WeightFormat.Of<F32>() });
        session.Append(tokens.AsSpan(..^1));
        float[] scores = [.. session.Append(tokens.AsSpan(^1))];
        double[] expected = new NaiveModel(shape, file.Values) { TurnsPairs = true, IsCacheExact = true }.LastLogits(tokens);
        // Turned by up to 32768 radians, whose last bit in single precision is 2 to the -8.
        foreach ((double one, float other) in expected.Zip(scores)) Assert.Equal(one, other, 2e-2);
        Assert.Contains("context of 32768", Assert.Throws<NibbleException>(() => session.Append([1]).Length).Message, StringComparison.Ordinal);
    }

    private static int[] Tokens(int count) => [.. Enumerable.Range(0, count).Select(i => i * 977 % 4000)];
}
