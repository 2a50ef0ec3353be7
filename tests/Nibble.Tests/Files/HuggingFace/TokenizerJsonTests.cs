using System.Text.Json;
using Nibble.Files;
using Nibble.Files.Gguf;
using Nibble.Files.HuggingFace;
using Nibble.Tests.Tokenizers;
using Nibble.Tokenizers;

namespace Nibble.Tests.Files.HuggingFace;

/// <summary>Vocabularies known in another form, written as <c>tokenizer.json</c>.</summary>
public sealed class TokenizerJsonTests
{
    [Fact]
    public void SentencePiece_in_JSON_gives_the_ids_of_the_same_vocabulary_with_scores()
    {
        using GgufFile file = GgufFile.Open(Shared.Find("tokenizers/ggml-vocab-llama-spm.gguf"));
        string[] tokens = file.Metadata.Strings("tokenizer.ggml.tokens")!;
        float[] scores = file.Metadata.Floats("tokenizer.ggml.scores")!;
        Dictionary<string, int> ids = tokens.Index().ToDictionary(t => t.Item, t => t.Index);
        (string Left, string Right, float Score)[] merges =
        [
            .. from id in Enumerable.Range(259, tokens.Length - 259)
               from at in Enumerable.Range(1, tokens[id].Length - 1)
               let left = tokens[id][..at]
               let right = tokens[id][at..]
               where ids.ContainsKey(left) && ids.ContainsKey(right)
               orderby scores[id] descending
               select (left, right, scores[id]),
        ];

        using TemporaryFolder folder = new();
        Write(folder.At("tokenizer.json"), json =>
        {
            json.WriteStartArray("added_tokens");
            for (int id = 0; id < 3; id++) WriteAdded(json, id, tokens[id]);
            json.WriteEndArray();
            json.WritePropertyName("normalizer");
            json.WriteRawValue("""{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},{"type":"Replace","pattern":{"String":" "},"content":"▁"}]}""");
            json.WriteStartObject("model");
            json.WriteString("type", "BPE");
            json.WriteString("unk_token", "<unk>");
            json.WriteBoolean("byte_fallback", true);
            WriteVocabulary(json, tokens);
            json.WriteStartArray("merges");
            foreach ((string left, string right, _) in merges) json.WriteStringValue($"{left} {right}");
            json.WriteEndArray();
            json.WriteEndObject();
        });

        byte[] text = File.ReadAllBytes(Shared.Find("text/novel.txt"));
        Assert.Equal(Tokenizer.FromMetadata(file.Metadata).Encode(text, addSpecial: false), Tokenizer.Open(folder.Path).Encode(text, addSpecial: false));
    }

    [Fact]
    public void WordPiece_in_JSON_gives_the_expected_ids()
    {
        string path = Shared.Find("tokenizers/ggml-vocab-bert-bge.gguf");
        using GgufFile file = GgufFile.Open(path);
        string[] tokens = file.Metadata.Strings("tokenizer.ggml.tokens")!;
        HashSet<string> special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
        string[] published = [.. tokens.Select(token => special.Contains(token) ? token : token.StartsWith('▁') ? token[1..] : "##" + token)];

        using TemporaryFolder folder = new();
        Write(folder.At("tokenizer.json"), json =>
        {
            json.WriteStartArray("added_tokens");
            foreach (string token in special) WriteAdded(json, Array.IndexOf(published, token), token);
            json.WriteEndArray();
            json.WriteStartObject("model");
            json.WriteString("type", "WordPiece");
            json.WriteString("unk_token", "[UNK]");
            json.WriteString("continuing_subword_prefix", "##");
            WriteVocabulary(json, published);
            json.WriteEndObject();
        });
        Tokenizer tokenizer = Tokenizer.Open(folder.Path);
        foreach ((string text, int[] expected) in ExpectedIds.Pairs(path + ".inp", path + ".out")) Assert.Equal(expected, tokenizer.Encode(text, addSpecial: false));
        Assert.Equal([101, 7592, 102], tokenizer.Encode("Hello"));

        Metadata metadata = new(folder.Path);
        TokenizerFiles.Read(folder.Path, tokens.Length + 2, metadata);
        Assert.Equal([.. tokens, $"[PAD{tokens.Length}]", $"[PAD{tokens.Length + 1}]"], metadata.Strings("tokenizer.ggml.tokens")!);
    }

    [Theory]
    [InlineData("""{"type":"ByteLevel"}""", false, "gpt-2")]
    [InlineData("""{"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":true},{"type":"ByteLevel","use_regex":true}]}""", false, "smollm")]
    [InlineData("""{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},"behavior":"Isolated","invert":false},{"type":"ByteLevel","use_regex":false}]}""", true, "llama-bpe")]
    [InlineData("""{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},"behavior":"Isolated","invert":false},{"type":"ByteLevel","use_regex":false}]}""", false, "qwen2")]
    [InlineData("""{"type":"Sequence","pretokenizers":[{"type":"Punctuation","behavior":"Contiguous"},{"type":"ByteLevel"},{"type":"Digits","individual_digits":false},{"type":"Split","pattern":{"Regex":"[0-9][0-9][0-9]"},"behavior":"Isolated","invert":false}]}""", false, "falcon")]
    [InlineData("""{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"[\r\n]"},"behavior":"Isolated","invert":false},{"type":"Split","pattern":{"Regex":"\\s?\\p{L}+"},"behavior":"Isolated","invert":false},{"type":"Split","pattern":{"Regex":"\\s?\\p{P}+"},"behavior":"Isolated","invert":false},{"type":"Split","pattern":{"Regex":"[一-龥ࠀ-一가-퟿]+"},"behavior":"Isolated","invert":false},{"type":"Digits","individual_digits":true},{"type":"ByteLevel","use_regex":false}]}""", false, "deepseek-coder")]
    public void The_way_of_cutting_words_is_known_by_its_steps(string preTokenizer, bool ignoreMerges, string expected)
    {
        using TemporaryFolder folder = new();
        WriteByteLevel(folder, preTokenizer, ignoreMerges);
        Metadata metadata = new(folder.Path);
        TokenizerFiles.Read(folder.Path, 0, metadata);
        Assert.Equal(expected, metadata.String("tokenizer.ggml.pre"));
    }

    [Theory]
    [InlineData("""{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"[a-q]+"},"behavior":"Isolated"},{"type":"ByteLevel","use_regex":false}]}""", "[a-q]+")]
    [InlineData("""{"type":"Sequence","pretokenizers":[{"type":"UnicodeScripts"},{"type":"ByteLevel"}]}""", "UnicodeScripts")]
    public void An_unknown_way_of_cutting_words_is_named(string preTokenizer, string named)
    {
        using TemporaryFolder folder = new();
        WriteByteLevel(folder, preTokenizer, ignoreMerges: false);
        NibbleException e = Assert.Throws<NibbleException>(() => Tokenizer.Open(folder.Path));
        Assert.StartsWith(folder.At("tokenizer.json"), e.Message, StringComparison.Ordinal);
        Assert.Contains(named, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_beside_the_vocabulary_are_read()
    {
        using TemporaryFolder folder = new();
        WriteByteLevel(folder, """{"type":"ByteLevel"}""", ignoreMerges: false);
        File.WriteAllText(folder.At("config.json"), """{"vocab_size": 8, "eos_token_id": [1, 0], "pad_token_id": null}""");
        File.WriteAllText(folder.At("tokenizer_config.json"), """
            {"add_bos_token": true, "bos_token": {"content": "<|x|>"}, "unk_token": null,
             "chat_template": [{"name": "default", "template": "{{a}}"}, {"name": "tools", "template": "{{b}}"}]}
            """);
        Metadata metadata = new(folder.Path);
        TokenizerFiles.Read(folder.Path, 8, metadata);
        Assert.Equal(["a", "b", "ab", "<|x|>", "y z", "[PAD5]", "[PAD6]", "[PAD7]"], metadata.Strings("tokenizer.ggml.tokens")!);
        Assert.Equal([1, 1, 1, 3, 4, 5, 5, 5], metadata.Integers("tokenizer.ggml.token_type")!);
        Assert.Equal(["a b"], metadata.Strings("tokenizer.ggml.merges")!);
        Assert.Equal(3, metadata.Integer("tokenizer.ggml.bos_token_id"));
        Assert.Equal(1, metadata.Integer("tokenizer.ggml.eos_token_id"));
        Assert.True(metadata.Bool("tokenizer.ggml.add_bos_token"));
        Assert.Equal("{{a}}", metadata.String("tokenizer.chat_template"));
        Assert.Equal("{{b}}", metadata.String("tokenizer.chat_template.tools"));
        Assert.False(metadata.Contains("tokenizer.ggml.padding_token_id"));

        File.WriteAllText(folder.At("chat_template.jinja"), "{{c}}");
        Assert.Equal("{{c}}", Tokenizer.Open(folder.Path).ChatTemplate);
    }

    private static void WriteByteLevel(TemporaryFolder folder, string preTokenizer, bool ignoreMerges) =>
        File.WriteAllText(folder.At("tokenizer.json"), $$"""
            {"added_tokens": [{"id": 3, "content": "<|x|>", "special": false}, {"id": 4, "content": "y▁z", "special": false}], "pre_tokenizer": {{preTokenizer.Replace("\r", "\\r").Replace("\n", "\\n")}},
             "model": {"type": "BPE", "ignore_merges": {{(ignoreMerges ? "true" : "false")}}, "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]]} }
            """);

    private static void Write(string path, Action<Utf8JsonWriter> write)
    {
        using FileStream stream = File.Create(path);
        using Utf8JsonWriter json = new(stream);
        json.WriteStartObject();
        write(json);
        json.WriteEndObject();
    }

    private static void WriteVocabulary(Utf8JsonWriter json, string[] tokens)
    {
        json.WriteStartObject("vocab");
        for (int id = 0; id < tokens.Length; id++) json.WriteNumber(tokens[id], id);
        json.WriteEndObject();
    }

    private static void WriteAdded(Utf8JsonWriter json, int id, string text)
    {
        json.WriteStartObject();
        json.WriteNumber("id", id);
        json.WriteString("content", text);
        json.WriteBoolean("special", true);
        json.WriteEndObject();
    }
}
