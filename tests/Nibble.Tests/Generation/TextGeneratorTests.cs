using System.Runtime.InteropServices;
using System.Text;
using Nibble.Generation;
using Nibble.Tokenizers;

namespace Nibble.Tests.Generation;

public class TextGeneratorTests
{
    private const string Prompt = "It was a bright morning, and the captain";
    private static readonly GenerationOptions s_greedy = new() { Temperature = 0, MaxTokens = 64 };

    [Fact]
    public void Greedy_text_of_the_sample_model_is_the_expected_one()
    {
        GoldenTensors golden = GoldenTensors.Read(Shared.Find("golden/tiny-logits.safetensors"));
        using LanguageModel model = SampleModel.Open(threads: 2);
        using TextGenerator generator = new(model, 256);
        int[] tokens = [.. generator.Generate(model.Tokenizer.Encode(Prompt), s_greedy)];
        Assert.Equal(MemoryMarshal.Cast<byte, int>(golden.Bytes("greedy")).ToArray(), tokens);
        Assert.Equal(StopReason.Length, generator.Report.StopReason);
        Assert.Equal((11, 64), (generator.Report.PromptTokens, generator.Report.GeneratedTokens));
        Assert.True(generator.Report.GeneratedTokensPerSecond > 0);
    }

    [Fact]
    public void The_same_seed_gives_the_same_tokens_whatever_the_thread_count()
    {
        GenerationOptions options = new() { Seed = 5, MaxTokens = 30, Temperature = 1, RepeatPenalty = 1.1f };
        int[] expected = Generate(1, options);
        Assert.Equal(expected, Generate(2, options));
        Assert.Equal(expected, Generate(3, options));
        Assert.NotEqual(expected, Generate(2, options with { Seed = 6 }));

        static int[] Generate(int threads, GenerationOptions options)
        {
            using LanguageModel model = SampleModel.Open("Q4_K_M", threads);
            using TextGenerator generator = new(model, 100);
            return [.. generator.Generate(model.Tokenizer.Encode(Prompt), options)];
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(7)]
    public void As_many_tokens_as_asked_for(int count)
    {
        using LanguageModel model = SampleModel.Open("Q8_0");
        using TextGenerator generator = new(model, 100);
        Assert.Equal(count, generator.Generate([1, 2, 3], s_greedy with { MaxTokens = count }).Count());
        Assert.Equal((count, StopReason.Length), (generator.Report.GeneratedTokens, generator.Report.StopReason));
    }

    [Fact]
    public void A_full_context_ends_the_text()
    {
        using LanguageModel model = SampleModel.Open("Q8_0");
        using TextGenerator generator = new(model, 16), full = new(model, 3);
        int[] tokens = [.. generator.Generate([1, 2, 3], s_greedy with { MaxTokens = null, IgnoreEnd = true })];
        Assert.Equal(14, tokens.Length); // 16 are read, 3 of the prompt; the last one chosen is not
        Assert.Equal(StopReason.ContextFull, generator.Report.StopReason);
        Assert.Equal(16, generator.Tokens.Count);
        Assert.Single(full.Generate([1, 2, 3], s_greedy with { MaxTokens = null, IgnoreEnd = true }));
        Assert.Throws<NibbleException>(() => full.Generate([1, 2, 3, 4], s_greedy).Count());
    }

    [Fact]
    public void A_token_that_ends_the_text_ends_it_unless_ignored()
    {
        using LanguageModel model = SampleModel.Open("Q8_0");
        using TextGenerator generator = new(model, 256);
        Assert.Contains(4094, model.Tokenizer.EndOfGeneration);
        // At a high temperature the token 4094 comes sooner or later; with the seed 29 soon, but any would do.
        GenerationOptions wild = new() { Temperature = 50, TopK = 0, TopP = 1, MinP = 0, MaxTokens = 200, IgnoreEnd = true };
        for (int seed = 29; seed < 300; seed++)
        {
            int[] tokens = [.. generator.Generate([1, 2, 3], wild with { Seed = seed })];
            int end = Array.FindIndex(tokens, model.Tokenizer.IsEndOfGeneration);
            if (end < 1) continue;
            Assert.Equal(200, tokens.Length);
            Assert.Equal(tokens[..end], generator.Generate([1, 2, 3], wild with { Seed = seed, IgnoreEnd = false }));
            Assert.Equal(StopReason.End, generator.Report.StopReason);
            Assert.Equal(end, generator.Report.GeneratedTokens);
            return;
        }
        Assert.Fail("no text ended");
    }

    [Fact]
    public void What_is_in_the_cache_is_not_read_again_and_changes_nothing()
    {
        using LanguageModel model = SampleModel.Open("Q8_0");
        using TextGenerator generator = new(model, 100), fresh = new(model, 100);
        int[] prompt = [5, 6, 7, 8, 9];
        int[] first = [.. generator.Generate(prompt, s_greedy with { MaxTokens = 10 })];
        Assert.Equal(first, generator.Generate(prompt, s_greedy with { MaxTokens = 10 }));
        Assert.Equal(4, generator.Report.CachedTokens);
        int[] longer = [.. prompt, .. first, 11, 12];
        Assert.Equal(fresh.Generate(longer, s_greedy with { MaxTokens = 5 }).ToArray(), generator.Generate(longer, s_greedy with { MaxTokens = 5 }));
        Assert.Equal(14, generator.Report.CachedTokens);
        int[] other = [5, 6, 1];
        Assert.Equal(new TextGenerator(model, 50).Generate(other, s_greedy with { MaxTokens = 5 }).ToArray(), generator.Generate(other, s_greedy with { MaxTokens = 5 }));
        Assert.Equal(2, generator.Report.CachedTokens);
    }

    [Fact]
    public void Generating_can_be_stopped()
    {
        using LanguageModel model = SampleModel.Open("Q8_0");
        using TextGenerator generator = new(model, 100);
        using CancellationTokenSource stop = new();
        int seen = 0;
        Assert.Throws<OperationCanceledException>(() =>
        {
            foreach (int _ in generator.Generate([1, 2, 3], s_greedy, cancellationToken: stop.Token))
                if (++seen == 3) stop.Cancel();
        });
        Assert.Equal(3, seen);
    }

    [Fact]
    public void An_empty_prompt_is_refused()
    {
        using LanguageModel model = SampleModel.Open("Q8_0");
        using TextGenerator generator = new(model, 100);
        Assert.Throws<NibbleException>(() => generator.Generate([], s_greedy));
    }

    [Fact]
    public async Task A_stream_of_text_is_the_decoded_tokens()
    {
        using LanguageModel model = SampleModel.Open("Q8_0");
        foreach (GenerationOptions options in new[] { s_greedy, new GenerationOptions { Temperature = 30, TopK = 0, TopP = 1, MinP = 0, Seed = 3, MaxTokens = 150, IgnoreEnd = true } })
        {
            StringBuilder text = new();
            await foreach (string piece in model.GenerateAsync(Prompt, options)) text.Append(piece);
            using TextGenerator generator = new(model, 256);
            Assert.Equal(model.Tokenizer.Decode([.. generator.Generate(model.Tokenizer.Encode(Prompt), options)]), text.ToString());
        }
    }

    [Fact]
    public void Characters_of_several_tokens_come_whole()
    {
        using LanguageModel model = SampleModel.Open("Q8_0");
        const string Text = "Grüße, 世界 🚀🏴‍☠️ naïve";
        StreamingDecoder decoder = new(model.Tokenizer);
        StringBuilder text = new();
        foreach (int token in model.Tokenizer.Encode(Text))
        {
            string piece = decoder.Add(token);
            Assert.DoesNotContain('\ufffd', piece);
            text.Append(piece);
        }
        Assert.Equal(Text, text.Append(decoder.Flush()).ToString());
    }
}
