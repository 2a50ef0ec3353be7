using System.Text;
using Nibble.Tokenizers;

namespace Nibble.Tests.Files.HuggingFace;

/// <summary>Whatever is wrong with a tokenizer's files, the error is one line that names the file.</summary>
public sealed class DamagedTokenizerFilesTests
{
    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("""{"model": null}""")]
    [InlineData("""{"pre_tokenizer": {"type": "ByteLevel"}, "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}, "\ud800": 1}""")]
    [InlineData("""{"pre_tokenizer": {"type": "ByteLevel"}, "model": {"type": "BPE", "vocab": {"a": 0}, "merges": [], "\ud800": 1}}""")]
    [InlineData("""{"model": {"type": 3}}""")]
    [InlineData("""{"model": {"type": "Unigram"}}""")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {}}}""")]
    [InlineData("""{"pre_tokenizer": {"type": "ByteLevel"}, "model": {"type": "BPE", "vocab": {}, "merges": []}}""")]
    [InlineData("""{"pre_tokenizer": {"type": "ByteLevel"}, "model": {"type": "BPE", "vocab": {"a": 1.5}, "merges": []}}""")]
    [InlineData("""{"pre_tokenizer": {"type": "ByteLevel"}, "model": {"type": "BPE", "vocab": {"a": -1}, "merges": []}}""")]
    [InlineData("""{"pre_tokenizer": {"type": "ByteLevel"}, "model": {"type": "BPE", "vocab": {"a": 2147483647}, "merges": []}}""")]
    [InlineData("""{"pre_tokenizer": {"type": "ByteLevel"}, "model": {"type": "BPE", "vocab": {"\ud800": 0}, "merges": []}}""")]
    [InlineData("""{"pre_tokenizer": {"type": "ByteLevel"}, "model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a"]}}""")]
    [InlineData("""{"pre_tokenizer": {"type": "ByteLevel"}, "model": {"type": "BPE", "vocab": {"a": 0}, "merges": [["a", "\udc00"]]}}""")]
    [InlineData("""{"pre_tokenizer": {"type": "ByteLevel"}, "added_tokens": [1], "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}""")]
    [InlineData("""{"pre_tokenizer": {"type": "ByteLevel"}, "added_tokens": {}, "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}""")]
    public void A_damaged_tokenizer_json_is_refused(string json) => Refused("tokenizer.json", Encoding.UTF8.GetBytes(json));

    [Fact]
    public void A_changed_tokenizer_json_opens_or_is_refused()
    {
        byte[] intact = File.ReadAllBytes(Path.Combine(Shared.TinyModel, "tokenizer.json"));
        Random random = new(1);
        for (int i = 0; i < 100; i++)
        {
            byte[] changed = [.. intact];
            for (int n = random.Next(1, 4); n > 0; n--) changed[i % 2 == 0 ? random.Next(1500) : random.Next(changed.Length)] = (byte)random.Next(256);
            if (i % 5 == 0) changed = changed[..random.Next(changed.Length)];
            OpensOrRefused("tokenizer.json", changed);
        }
    }

    [Fact]
    public void A_changed_SentencePiece_model_opens_or_is_refused()
    {
        byte[] intact = File.ReadAllBytes(Shared.Find("tokenizers/llama-2/tokenizer.model"));
        Random random = new(2);
        for (int i = 0; i < 100; i++)
        {
            byte[] changed = [.. intact];
            int place = (i % 3) switch { 0 => random.Next(4000), 1 => changed.Length - 1 - random.Next(300), _ => random.Next(changed.Length) };
            changed[place] = (byte)random.Next(256);
            if (i % 5 == 0) changed = changed[..random.Next(changed.Length)];
            OpensOrRefused("tokenizer.model", changed);
        }
    }

    [Fact]
    public void Other_files_in_the_place_of_a_tokenizer_model_are_refused()
    {
        Refused("tokenizer.model", []);
        Refused("tokenizer.model", "IQ== 0\nIg== 1\n"u8);
        Refused("tokenizer.model", "IQ== 0\nIg== 7\n"u8);
        Refused("tokenizer.model", "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 499723\n"u8);
        Refused("tokenizer.model", [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]);
    }

    [Fact]
    public void A_damaged_vocabulary_with_merges_is_refused()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder.At("vocab.json"), """{"a": 0, "b": 1, "ab": 2}""");
        File.WriteAllText(folder.At("merges.txt"), "#version: 0.2\na b\nab\n");
        NibbleException e = Assert.Throws<NibbleException>(() => Tokenizer.Open(folder.Path));
        Assert.StartsWith(folder.At("merges.txt"), e.Message, StringComparison.Ordinal);
        File.WriteAllText(folder.At("merges.txt"), "#version: 0.2\na b\n");
        Assert.Equal([2, 0], Tokenizer.Open(folder.Path).Encode("aba"));
    }

    [Fact]
    public void More_tokens_than_the_model_has_room_for_are_refused()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder.At("vocab.json"), """{"a": 0, "b": 1, "ab": 2}""");
        File.WriteAllText(folder.At("merges.txt"), "a b\n");
        File.WriteAllText(folder.At("config.json"), """{"vocab_size": 2}""");
        Assert.Contains("vocab_size", Assert.Throws<NibbleException>(() => Tokenizer.Open(folder.Path)).Message, StringComparison.Ordinal);
        File.WriteAllText(folder.At("config.json"), """{"vocab_size": 2147483647}""");
        Assert.Contains("vocab_size", Assert.Throws<NibbleException>(() => Tokenizer.Open(folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_without_a_tokenizer_and_a_missing_file_are_named()
    {
        using TemporaryFolder folder = new();
        Assert.StartsWith(folder.Path, Assert.Throws<NibbleException>(() => Tokenizer.Open(folder.Path)).Message, StringComparison.Ordinal);
        Assert.StartsWith(folder.At("x.gguf"), Assert.Throws<NibbleException>(() => Tokenizer.Open(folder.At("x.gguf"))).Message, StringComparison.Ordinal);
    }

    private static void Refused(string name, ReadOnlySpan<byte> content)
    {
        using TemporaryFolder folder = new();
        string path = folder.At(name);
        File.WriteAllBytes(path, content);
        OneLineNaming(path, Assert.Throws<NibbleException>(() => Tokenizer.Open(path)));
    }

    private static void OpensOrRefused(string name, ReadOnlySpan<byte> content)
    {
        using TemporaryFolder folder = new();
        string path = folder.At(name);
        File.WriteAllBytes(path, content);
        try
        {
            Tokenizer tokenizer = Tokenizer.Open(path);
            tokenizer.Decode(tokenizer.Encode("Hello, <|end|> world 123 é", parseSpecial: true), special: true);
        }
        catch (NibbleException e)
        {
            OneLineNaming(path, e);
        }
    }

    private static void OneLineNaming(string path, NibbleException e)
    {
        Assert.StartsWith(path, e.Message, StringComparison.Ordinal);
        Assert.Equal(e.Message, e.Message.ReplaceLineEndings(""));
        Assert.True(e.Message.Length < path.Length + 300, e.Message);
    }
}
