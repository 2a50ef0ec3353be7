using Nibble.Files;
using Nibble.Tokenizers;

namespace Nibble.Tests.Tokenizers;

public sealed class SpecialTokensTests
{
    [Fact]
    public void Control_tokens_are_read_only_on_request()
    {
        Tokenizer tokenizer = Tokenizer.Open(Shared.TinyModel);
        Assert.Equal([4093, .. tokenizer.Encode("a", addSpecial: false), 4094], tokenizer.Encode("a<|end|>", addSpecial: true, parseSpecial: true));
        int[] plain = tokenizer.Encode("a<|end|>");
        Assert.Equal(4093, plain[0]);
        Assert.DoesNotContain(4094, plain);
    }

    [Fact]
    public void A_text_begins_with_the_tokens_the_model_wants()
    {
        Assert.Equal(4093, Tokenizer.Open(Shared.TinyModel).Encode("")[0]);
        Assert.Equal([1], Vocabularies.Open("tokenizers/llama-2").Encode(""));
        Assert.Empty(Vocabularies.Open("tokenizers/ggml-vocab-gpt-2.gguf").Encode(""));
        Assert.Equal([101, 7592, 102], Vocabularies.Open("tokenizers/ggml-vocab-bert-bge.gguf").Encode("Hello"));
    }

    [Fact]
    public void Text_behind_a_special_token_begins_anew_where_a_space_goes_in_front()
    {
        Tokenizer tokenizer = Vocabularies.Open("tokenizers/llama-2");
        int[] ids = tokenizer.Encode("Hello</s>Hello", addSpecial: false, parseSpecial: true);
        Assert.Equal([15043, 2, 15043], ids);
        Assert.Equal("Hello</s>Hello", tokenizer.Decode(ids, special: true));
    }

    [Fact]
    public void Generation_ends_at_every_token_that_ends_a_turn()
    {
        Tokenizer tokenizer = Vocabularies.Open("tokenizers/smollm/tokenizer.json");
        Assert.True(tokenizer.IsEndOfGeneration(tokenizer.Find("<|endoftext|>")!.Value));
        Assert.True(tokenizer.IsEndOfGeneration(tokenizer.Find("<|im_end|>")!.Value));
        Assert.False(tokenizer.IsEndOfGeneration(tokenizer.Find("<|im_start|>")!.Value));
    }

    [Fact]
    public void A_message_that_leads_to_a_call_does_not_end_generation()
    {
        Metadata metadata = new("file")
        {
            ["tokenizer.ggml.model"] = MetadataValue.Of("gpt2"),
            ["tokenizer.ggml.tokens"] = MetadataValue.Of(["a", "<|end|>", "<|return|>", "<|call|>"]),
            ["tokenizer.ggml.merges"] = MetadataValue.Of((IReadOnlyList<string>)[]),
            ["tokenizer.ggml.eos_token_id"] = MetadataValue.Of(2),
        };
        Assert.Equal([2, 3], Tokenizer.FromMetadata(metadata).EndOfGeneration.Order());
    }

    [Fact]
    public void Ids_outside_the_vocabulary_are_refused()
    {
        Tokenizer tokenizer = Tokenizer.Open(Shared.TinyModel);
        Assert.Throws<NibbleException>(() => tokenizer.Decode([4096]));
        Assert.Throws<NibbleException>(() => tokenizer.Decode([-1]));
        Assert.Throws<NibbleException>(() => tokenizer.Piece(int.MaxValue));
    }
}
