namespace Nibble.Tokenizers.PreTokenizers;

/// <summary>
/// Llama 3, Qwen 2 and their kin, with white space and line ends apart:
/// <c>(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+</c>
/// </summary>
internal sealed class LetterWords : WordPattern
{
    /// <summary>The longest run of digits that is one word: 3 for Llama 3, 1 for Qwen 2.</summary>
    public required int Digits { get; init; }

    /// <summary>Whether English endings are words of their own.</summary>
    public bool Contracts { get; init; } = true;

    /// <summary>Whether combining marks belong to words, as in <c>[\p{L}\p{M}]+</c>.</summary>
    public bool Marks { get; init; }

    /// <summary>Whether line ends are taken out of <c>[^\s\p{L}\p{N}]+[\r\n]*</c>.</summary>
    public bool LineEndsApart { get; init; }

    protected override int Match(ReadOnlySpan<byte> text)
    {
        if (Contracts)
        {
            int contraction = Contractions.LengthAt(text, 0, ignoreCase: true);
            if (contraction > 0) return contraction;
        }

        CharacterKind word = Marks ? CharacterKind.Letter | CharacterKind.Mark : CharacterKind.Letter;
        CharacterKind parted = word | CharacterKind.Number | CharacterKind.Space;
        CharacterKind kind = Characters.KindAt(text, 0, out int length);

        bool prefix = (kind & (CharacterKind.Letter | CharacterKind.Number)) == 0 && !LineEnds.Is(text[0]);
        if (prefix && length < text.Length && (Characters.KindAt(text, length, out _) & word) != 0) return Characters.SkipWhile(text, length, word);
        if ((kind & word) != 0) return Characters.SkipWhile(text, length, word);

        if ((kind & CharacterKind.Number) != 0)
        {
            int end = length;
            for (int n = 1; n < Digits && end < text.Length && (Characters.KindAt(text, end, out length) & CharacterKind.Number) != 0; n++) end += length;
            return end;
        }

        int start = text[0] == ' ' && text.Length > 1 ? 1 : 0;
        if ((Characters.KindAt(text, start, out _) & parted) == 0)
        {
            int end = Characters.SkipUntil(text, start, parted);
            return LineEndsApart ? end : LineEnds.Skip(text, end);
        }
        return LineEnds.MatchSpaces(text) is > 0 and var spaces ? spaces : SpacesBefore(text, Characters.SkipWhile(text, 0, CharacterKind.Space));
    }
}
