using Nibble.Files;
using Nibble.Files.Gguf;
using Nibble.Files.HuggingFace;
using Nibble.Tests.Tokenizers;
using Nibble.Tokenizers;

namespace Nibble.Tests.Files.HuggingFace;

/// <summary>Vocabularies in the forms in which they are published, against the ids that other implementations give.</summary>
public sealed class TokenizerFilesTests
{
    [Theory]
    [InlineData("llama-2")]
    [InlineData("llama-3")]
    [InlineData("qwen2")]
    public void Published_vocabularies_give_the_expected_ids(string name)
    {
        string folder = Shared.Find($"tokenizers/{name}");
        Check(Vocabularies.Open($"tokenizers/{name}"), ExpectedIds.Pairs(Path.Combine(folder, "test.inp"), Path.Combine(folder, "test.out")));
    }

    [Fact]
    public void A_tokenizer_json_gives_the_expected_ids()
    {
        string folder = Shared.Find("tokenizers/smollm");
        Check(Tokenizer.Open(Path.Combine(folder, "tokenizer.json")), ExpectedIds.Json(Path.Combine(folder, "expected.json")));
    }

    [Fact]
    public void The_sample_model_gives_the_expected_ids() =>
        Check(Tokenizer.Open(Shared.TinyModel), ExpectedIds.Json(Shared.Find("models/tiny/expected-tokens.json")));

    [Theory]
    [InlineData("config.json")]
    [InlineData("model.safetensors")]
    [InlineData("tokenizer.json")]
    public void Any_file_of_a_model_folder_leads_to_its_tokenizer(string name) =>
        Assert.Equal([4093, 482, 287, 78, 2989, 0], Tokenizer.Open(Path.Combine(Shared.TinyModel, name)).Encode(" Hello World!"));

    [Theory]
    [InlineData("tokenizers/qwen2/vocab.json")]
    [InlineData("tokenizers/qwen2/merges.txt")]
    public void A_vocabulary_is_opened_by_either_of_its_files(string name) => Assert.Equal(151_643, Tokenizer.Open(Shared.Find(name)).VocabularySize);

    [Fact]
    public void A_SentencePiece_model_becomes_the_metadata_that_converters_write()
    {
        Metadata metadata = new("model");
        TokenizerFiles.Read(Shared.Find("tokenizers/llama-2"), 32_002, metadata);
        using GgufFile expected = GgufFile.Open(Shared.Find("tokenizers/ggml-vocab-llama-spm.gguf"));
        Assert.Equal([.. expected.Metadata.Strings("tokenizer.ggml.tokens")!, "[PAD32000]", "[PAD32001]"], metadata.Strings("tokenizer.ggml.tokens")!);
        Assert.Equal([.. expected.Metadata.Floats("tokenizer.ggml.scores")!, -1000, -1000], metadata.Floats("tokenizer.ggml.scores")!);
        Assert.Equal([.. expected.Metadata.Integers("tokenizer.ggml.token_type")!, 5, 5], metadata.Integers("tokenizer.ggml.token_type")!);
        foreach (string role in new[] { "bos", "eos", "unknown" })
            Assert.Equal(expected.Metadata.Integer($"tokenizer.ggml.{role}_token_id"), metadata.Integer($"tokenizer.ggml.{role}_token_id"));
    }

    [Fact]
    public void The_sample_model_begins_a_text_as_expected()
    {
        using System.Text.Json.JsonDocument golden = System.Text.Json.JsonDocument.Parse(File.ReadAllText(Shared.Find("golden/tiny-tokens.json")));
        int[] expected = [.. golden.RootElement.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())];
        Tokenizer tokenizer = Tokenizer.Open(Shared.TinyModel);
        int[] ids = tokenizer.Encode(File.ReadAllBytes(Shared.Find("text/wiki.test.raw")));
        Assert.Equal(golden.RootElement.GetProperty("bos").GetInt32(), tokenizer.Bos);
        Assert.Equal(expected, ids[..expected.Length]);
    }

    [Theory]
    [InlineData("novel.txt")]
    [InlineData("wiki.test.raw")]
    public void The_same_vocabulary_in_two_forms_gives_the_same_ids(string text)
    {
        byte[] bytes = File.ReadAllBytes(Shared.Find($"text/{text}"));
        int[] sentencePiece = Vocabularies.Open("tokenizers/llama-2/tokenizer.model").Encode(bytes);
        int[] gguf = Vocabularies.Open("tokenizers/ggml-vocab-llama-spm.gguf").Encode(bytes);
        Assert.Equal(gguf, sentencePiece);
    }

    [Fact]
    public void Mistral_version_3_opens_and_comes_back()
    {
        Tokenizer tokenizer = Vocabularies.Open("tokenizers/mistral-v3");
        Assert.Equal(32768, tokenizer.VocabularySize);
        Assert.Equal((1, 2), (tokenizer.Bos, tokenizer.Eos));
        Assert.Equal(3, tokenizer.Find("[INST]"));
        string text = File.ReadAllText(Shared.Find("text/novel.txt"));
        int[] ids = tokenizer.Encode(text);
        Assert.Equal(1, ids[0]);
        Assert.Equal(text, tokenizer.Decode(ids));
    }

    [Fact]
    public void Llama_3_knows_its_special_tokens()
    {
        Tokenizer tokenizer = Vocabularies.Open("tokenizers/llama-3");
        Assert.Equal(128_256, tokenizer.VocabularySize);
        Assert.Equal((128_000, 128_001, 128_009), (tokenizer.Bos, tokenizer.Eos, tokenizer.Eot));
        Assert.Equal(128_255, tokenizer.Find("<|reserved_special_token_250|>"));
        Assert.Equal([128_000, 128_006, 882, 128_007], tokenizer.Encode("<|start_header_id|>user<|end_header_id|>", addSpecial: true, parseSpecial: true));
        Assert.True(tokenizer.IsEndOfGeneration(128_001) && tokenizer.IsEndOfGeneration(128_009) && !tokenizer.IsEndOfGeneration(128_000));
    }

    private static void Check(Tokenizer tokenizer, List<(string Text, int[] Ids)> expected)
    {
        Assert.True(expected.Count > 30);
        foreach ((string text, int[] ids) in expected)
        {
            int[] actual = tokenizer.Encode(text, addSpecial: false);
            Assert.True(ids.SequenceEqual(actual), $"'{text}': {string.Join(' ', ids)} expected, got {string.Join(' ', actual)}");
            Assert.Equal(text, tokenizer.Decode(ids));
        }
    }
}
