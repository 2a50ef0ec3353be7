using Nibble.Files;
using Nibble.Tokenizers;

namespace Nibble.Tests.Tokenizers;

/// <summary>Metadata that describes no usable tokenizer.</summary>
public sealed class DamagedVocabularyTests
{
    [Fact]
    public void A_file_without_a_tokenizer_is_refused() => Refused(new("file"), "no tokenizer");

    [Fact]
    public void An_unknown_tokenizer_is_refused_with_the_known_ones() => Refused(With("tokenizer.ggml.model", MetadataValue.Of("t5")), "bert, gpt2, llama");

    [Fact]
    public void An_unknown_pre_tokenizer_is_refused_with_the_known_ones() => Refused(With("tokenizer.ggml.pre", MetadataValue.Of("gpt-9")), "gpt-2, gpt-4o");

    [Fact]
    public void Values_of_another_type_or_length_are_refused()
    {
        Refused(With("tokenizer.ggml.tokens", MetadataValue.Of("a")), "tokenizer.ggml.tokens");
        Refused(With("tokenizer.ggml.tokens", MetadataValue.Of((IReadOnlyList<string>)[])), "empty");
        Refused(With("tokenizer.ggml.token_type", MetadataValue.Of([1])), "types for 1");
        Refused(With("tokenizer.ggml.token_type", MetadataValue.Of(1.5f)), "tokenizer.ggml.token_type");
        Refused(With("tokenizer.ggml.merges", MetadataValue.Of(true)), "tokenizer.ggml.merges");
        Refused(With("tokenizer.ggml.add_bos_token", MetadataValue.Of(true)), "add_bos_token");
        Metadata scores = With("tokenizer.ggml.model", MetadataValue.Of("llama"));
        scores["tokenizer.ggml.scores"] = MetadataValue.Of([1f]);
        Refused(scores, "scores for 1");
    }

    [Fact]
    public void Merges_that_are_no_merges_are_passed_over()
    {
        Metadata metadata = With("tokenizer.ggml.merges", MetadataValue.Of(["", " ", "a", "a ", " a", "日 本", "a b", "a b", "ab c", "x y"]));
        Assert.Equal([3, 1, 0], Tokenizer.FromMetadata(metadata).Encode("abba"));
    }

    [Fact]
    public void A_missing_pre_tokenizer_means_the_default_one()
    {
        Metadata metadata = With("general.name", MetadataValue.Of("x"));
        metadata.Remove("tokenizer.ggml.pre");
        Assert.Equal([3], Tokenizer.FromMetadata(metadata).Encode("ab"));
    }

    [Fact]
    public void Special_ids_outside_the_vocabulary_mean_none()
    {
        Tokenizer tokenizer = Tokenizer.FromMetadata(With("tokenizer.ggml.eos_token_id", MetadataValue.Of(uint.MaxValue)));
        Assert.Null(tokenizer.Eos);
    }

    private static Metadata With(string key, MetadataValue value) => new("file")
    {
        ["tokenizer.ggml.model"] = MetadataValue.Of("gpt2"),
        ["tokenizer.ggml.pre"] = MetadataValue.Of("gpt-2"),
        ["tokenizer.ggml.tokens"] = MetadataValue.Of(["a", "b", "c", "ab"]),
        ["tokenizer.ggml.merges"] = MetadataValue.Of(["a b"]),
        [key] = value,
    };

    private static void Refused(Metadata metadata, string says)
    {
        NibbleException e = Assert.Throws<NibbleException>(() => Tokenizer.FromMetadata(metadata));
        Assert.StartsWith("file: ", e.Message, StringComparison.Ordinal);
        Assert.Contains(says, e.Message, StringComparison.Ordinal);
        Assert.Equal(e.Message, e.Message.ReplaceLineEndings(""));
    }
}
