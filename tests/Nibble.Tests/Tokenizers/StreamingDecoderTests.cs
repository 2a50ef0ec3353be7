using System.Text;
using Nibble.Tokenizers;

namespace Nibble.Tests.Tokenizers;

public sealed class StreamingDecoderTests
{
    [Theory]
    [InlineData("models/tiny")]
    [InlineData("tokenizers/llama-2")]
    public void Pieces_are_whole_characters_and_join_to_the_text(string vocabulary)
    {
        Tokenizer tokenizer = Vocabularies.Open(vocabulary);
        const string Text = " Käse für 3 €: 🦙 und 👩‍👩‍👧 — ជា 日本語";
        StreamingDecoder decoder = new(tokenizer, atStart: true);
        StringBuilder joined = new();
        foreach (int id in tokenizer.Encode(Text, addSpecial: false))
        {
            string piece = decoder.Add(id);
            Assert.DoesNotContain('\uFFFD', piece);
            Assert.Equal(piece, Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(piece))); // no half of a pair
            joined.Append(piece);
        }
        Assert.Equal("", decoder.Flush());
        Assert.Equal(Text, joined.ToString());
    }

    [Fact]
    public void An_incomplete_character_at_the_end_is_replaced()
    {
        Tokenizer tokenizer = Tokenizer.Open(Shared.TinyModel);
        StreamingDecoder decoder = new(tokenizer);
        string text = string.Concat(tokenizer.Encode([(byte)'a', 0xF0, 0x9F], addSpecial: false).Select(decoder.Add));
        Assert.Equal("a", text);
        Assert.Equal("\uFFFD", decoder.Flush());
    }

    [Fact]
    public void Control_tokens_show_on_request()
    {
        Tokenizer tokenizer = Tokenizer.Open(Shared.TinyModel);
        int end = tokenizer.Eos!.Value;
        Assert.Equal("", new StreamingDecoder(tokenizer).Add(end));
        Assert.Equal("<|end|>", new StreamingDecoder(tokenizer, special: true).Add(end));
    }

    [Fact]
    public void A_continued_text_keeps_its_first_space()
    {
        Tokenizer tokenizer = Vocabularies.Open("tokenizers/llama-2");
        int world = Assert.Single(tokenizer.Encode("world", addSpecial: false));
        Assert.Equal(" world", new StreamingDecoder(tokenizer).Add(world));
        Assert.Equal("world", new StreamingDecoder(tokenizer, atStart: true).Add(world));
        Assert.Equal("world", tokenizer.Decode([world]));
    }
}
