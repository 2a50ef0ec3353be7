using System.Diagnostics;
using System.Text;
using Nibble.Files;
using Nibble.Tokenizers;

namespace Nibble.Tests.Tokenizers;

/// <summary>What was encoded comes back, whatever it was.</summary>
public sealed class RoundTripTests
{
    private const int Texts = 2000;

    /// <summary>Vocabularies that have a token for every byte.</summary>
    public static TheoryData<string> Lossless =>
    [
        "tokenizers/ggml-vocab-gpt-2.gguf", "tokenizers/ggml-vocab-llama-spm.gguf", "tokenizers/ggml-vocab-phi-3.gguf",
        "tokenizers/llama-2", "tokenizers/llama-3", "tokenizers/mistral-v3", "tokenizers/qwen2", "models/tiny",
    ];

    /// <summary>Vocabularies that lack bytes which valid UTF-8 has only outside the planes in use, and some controls.</summary>
    public static TheoryData<string> LosslessForText =>
    [
        "tokenizers/ggml-vocab-deepseek-coder.gguf", "tokenizers/ggml-vocab-deepseek-llm.gguf", "tokenizers/ggml-vocab-refact.gguf",
        "tokenizers/ggml-vocab-starcoder.gguf", "tokenizers/smollm/tokenizer.json",
    ];

    [Theory]
    [MemberData(nameof(Lossless))]
    public void Any_Unicode_comes_back(string vocabulary)
    {
        Tokenizer tokenizer = Vocabularies.Open(vocabulary);
        Random random = new(1);
        for (int i = 0; i < Texts; i++) CheckText(tokenizer, RandomText(random, 0x10FFFF));
    }

    [Theory]
    [MemberData(nameof(Lossless))]
    public void Any_bytes_come_back(string vocabulary)
    {
        Tokenizer tokenizer = Vocabularies.Open(vocabulary);
        Random random = new(2);
        for (int i = 0; i < Texts; i++)
        {
            byte[] bytes = new byte[random.Next(100)];
            random.NextBytes(bytes);
            Assert.Equal(bytes, tokenizer.DecodeBytes(tokenizer.Encode(bytes, addSpecial: false)));
        }
        for (int value = 0; value < 256; value++) Assert.Equal([(byte)value], tokenizer.DecodeBytes(tokenizer.Encode([(byte)value], addSpecial: false)));
    }

    [Theory]
    [MemberData(nameof(LosslessForText))]
    public void Text_comes_back_from_vocabularies_without_some_bytes(string vocabulary)
    {
        Tokenizer tokenizer = Vocabularies.Open(vocabulary);
        Random random = new(3);
        for (int i = 0; i < Texts; i++) CheckText(tokenizer, new string([.. RandomText(random, 0xFFFF).Where(c => c >= ' ')]));
    }

    [Theory]
    [MemberData(nameof(LosslessForText))]
    public void A_byte_without_a_token_becomes_the_replacement_character(string vocabulary)
    {
        Tokenizer tokenizer = Vocabularies.Open(vocabulary);
        Assert.Equal("a\uFFFDb", tokenizer.Decode(tokenizer.Encode([(byte)'a', 0xFF, (byte)'b'], addSpecial: false)));
    }

    [Theory]
    [MemberData(nameof(Lossless))]
    public void Names_of_special_tokens_and_bytes_in_plain_text_stay_text(string vocabulary)
    {
        Tokenizer tokenizer = Vocabularies.Open(vocabulary);
        foreach (string text in new[] { "<s>", "</s> x", "<unk>", "a<|im_end|>", "<|endoftext|> b", "<0x41>", "<0x0A>", "[INST] x", "▁▁ ▁", "<|begin|><|end|>", "<|eot_id|>" })
        {
            int[] ids = tokenizer.Encode(text, addSpecial: false);
            Assert.Equal(text, tokenizer.Decode(ids));
            Assert.DoesNotContain(ids, id => tokenizer.TypeOf(id) == TokenType.Control);
        }
    }

    [Theory]
    [InlineData("tokenizers/ggml-vocab-gpt-2.gguf")]
    [InlineData("tokenizers/ggml-vocab-llama-spm.gguf")]
    [InlineData("tokenizers/ggml-vocab-deepseek-llm.gguf")]
    [InlineData("tokenizers/llama-3")]
    public void A_very_long_word_is_not_quadratic(string vocabulary)
    {
        Tokenizer tokenizer = Vocabularies.Open(vocabulary);
        Random random = new(4);
        byte[] letters = new byte[1 << 18];
        for (int i = 0; i < letters.Length; i++) letters[i] = (byte)('a' + random.Next(26));
        Stopwatch watch = Stopwatch.StartNew();
        foreach (byte[] text in new[] { letters, Encoding.UTF8.GetBytes(new string('a', 1 << 18)), Encoding.UTF8.GetBytes(new string(' ', 1 << 18) + "x"), Encoding.UTF8.GetBytes(new string('\n', 1 << 18) + "x") })
            Assert.Equal(text, tokenizer.DecodeBytes(tokenizer.Encode(text, addSpecial: false)));
        Assert.True(watch.Elapsed < TimeSpan.FromMinutes(1), $"took {watch.Elapsed}"); // half a second; quadratic would take many minutes
    }

    [Fact]
    public void Half_a_surrogate_pair_becomes_the_replacement_character()
    {
        Tokenizer tokenizer = Tokenizer.Open(Shared.TinyModel);
        Assert.Equal("a\uFFFDb", tokenizer.Decode(tokenizer.Encode("a\uD800b", addSpecial: false)));
    }

    [Fact]
    public void Threads_may_share_a_tokenizer()
    {
        Tokenizer tokenizer = Tokenizer.Open(Shared.TinyModel);
        string text = string.Concat(Enumerable.Range(0, 2000).Select(i => $"Sentence number {i} is here. "));
        int[] expected = tokenizer.Encode(text);
        Parallel.For(0, 16, _ => Assert.Equal(expected, tokenizer.Encode(text)));
    }

    private static void CheckText(Tokenizer tokenizer, string text) => Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text, addSpecial: false)));

    private static string RandomText(Random random, int highest)
    {
        StringBuilder text = new();
        for (int length = random.Next(60); length > 0; length--)
        {
            int codePoint = random.Next(6) switch
            {
                0 => random.Next(0x80),
                1 => " \n\t\r'▁"[random.Next(6)],
                2 => random.Next(0x800),
                3 => random.Next(0x2000, 0x3100),
                4 => random.Next(0x10000),
                _ => random.Next(highest + 1),
            };
            if (Rune.IsValid(codePoint)) text.Append(new Rune(codePoint).ToString());
        }
        return text.ToString();
    }
}
