using System.Text;

namespace Nibble.Tokenizers;

/// <summary>Decodes tokens as they come: what they complete is returned at once, a character that is still incomplete waits for the next one.</summary>
public sealed class StreamingDecoder
{
    private readonly Tokenizer _tokenizer;
    private readonly bool _special;
    private readonly Decoder _utf8 = Encoding.UTF8.GetDecoder();
    private bool _atStart;

    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="special">Whether to write control tokens out, too.</param>
    /// <param name="atStart">Whether the first token begins a text, where some tokenizers have put a space, or goes on with one.</param>
    public StreamingDecoder(Tokenizer tokenizer, bool special = false, bool atStart = false)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        _tokenizer = tokenizer;
        _special = special;
        _atStart = atStart;
    }

    /// <summary>The text that this token completes; often all of its own, empty where it ends inside a character.</summary>
    public string Add(int id) => Characters(_tokenizer.TokenBytes(id, _special, ref _atStart), flush: false);

    /// <summary>What is left at the end: U+FFFD for a character that stayed incomplete, else nothing.</summary>
    public string Flush() => Characters([], flush: true);

    private string Characters(ReadOnlySpan<byte> bytes, bool flush)
    {
        Span<char> characters = new char[_utf8.GetCharCount(bytes, flush)];
        return new(characters[.._utf8.GetChars(bytes, characters, flush)]);
    }
}
