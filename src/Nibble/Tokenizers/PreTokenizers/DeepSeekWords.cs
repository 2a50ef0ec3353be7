namespace Nibble.Tokenizers.PreTokenizers;

/// <summary>
/// DeepSeek V3, behind its digits and its CJK text:
/// <c>[!-/:-@\[-`{-~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+</c>
/// </summary>
internal sealed class DeepSeekWords : WordPattern
{
    private const CharacterKind Word = CharacterKind.Letter | CharacterKind.Mark;
    private const CharacterKind Sign = CharacterKind.Punctuation | CharacterKind.Symbol;

    protected override int Match(ReadOnlySpan<byte> text)
    {
        CharacterKind kind = Characters.KindAt(text, 0, out int length);
        if (text[0] < 0x80 && (kind & Sign) != 0)
        {
            int end = 1;
            while (end < text.Length && char.IsAsciiLetter((char)text[end])) end++;
            if (end > 1) return end;
        }

        bool prefix = (kind & (CharacterKind.Letter | Sign)) == 0 && !LineEnds.Is(text[0]);
        if (prefix && length < text.Length && (Characters.KindAt(text, length, out _) & Word) != 0) return Characters.SkipWhile(text, length, Word);
        if ((kind & Word) != 0) return Characters.SkipWhile(text, length, Word);

        int start = text[0] == ' ' && text.Length > 1 ? 1 : 0;
        if ((Characters.KindAt(text, start, out _) & Sign) != 0) return LineEnds.Skip(text, Characters.SkipWhile(text, start, Sign));
        if ((kind & CharacterKind.Space) == 0) return 0;
        return LineEnds.MatchSpaces(text) is > 0 and var spaces ? spaces : SpacesBefore(text, Characters.SkipWhile(text, 0, CharacterKind.Space));
    }
}
