using Nibble.Files.Gguf;
using Nibble.Tokenizers;

namespace Nibble.Tests.Tokenizers;

/// <summary>Real vocabularies in GGUF files give the ids that their own tokenizers give.</summary>
public sealed class VocabularyTests
{
    public static TheoryData<string> Vocabularies =>
        ["bert-bge", "deepseek-coder", "deepseek-llm", "gpt-2", "llama-spm", "phi-3", "refact", "starcoder"];

    [Theory]
    [MemberData(nameof(Vocabularies))]
    public void Texts_become_the_expected_ids(string name)
    {
        string path = Shared.Find($"tokenizers/ggml-vocab-{name}.gguf");
        using GgufFile file = GgufFile.Open(path);
        Tokenizer tokenizer = Tokenizer.FromMetadata(file.Metadata);
        List<(string Text, int[] Ids)> pairs = ExpectedIds.Pairs(path + ".inp", path + ".out");
        Assert.True(pairs.Count > 30);
        foreach ((string text, int[] ids) in pairs)
        {
            Assert.True(ids.SequenceEqual(tokenizer.Encode(text, addSpecial: false)), $"'{text}': {string.Join(' ', ids)} expected, got {string.Join(' ', tokenizer.Encode(text, addSpecial: false))}");
            if (name != "bert-bge") Assert.Equal(text, tokenizer.Decode(ids));
        }
    }
}
