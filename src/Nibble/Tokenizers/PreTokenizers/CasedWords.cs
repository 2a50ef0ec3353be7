namespace Nibble.Tokenizers.PreTokenizers;

/// <summary>
/// GPT-4o and Tekken, where a word ends before an upper-case letter that follows a lower-case one:
/// <c>[^\r\n\p{L}\p{N}]?U*W+C?|[^\r\n\p{L}\p{N}]?U+W*C?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+</c>
/// with <c>U = [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]</c>, <c>W = [\p{Ll}\p{Lm}\p{Lo}\p{M}]</c> and C the English endings.
/// </summary>
internal sealed class CasedWords : WordPattern
{
    private const CharacterKind Parted = CharacterKind.Letter | CharacterKind.Number | CharacterKind.Space;

    /// <summary>The longest run of digits that is one word.</summary>
    public required int Digits { get; init; }

    /// <summary>Whether English endings stay with their word.</summary>
    public required bool Contracts { get; init; }

    protected override int Match(ReadOnlySpan<byte> text)
    {
        CharacterKind kind = Characters.KindAt(text, 0, out int length);
        bool prefix = (kind & (CharacterKind.Letter | CharacterKind.Number)) == 0 && !LineEnds.Is(text[0]);
        int end = prefix ? UpperThenLower(text, length) : 0;
        if (end == 0) end = UpperThenLower(text, 0);
        if (end == 0 && prefix) end = Uppers(text, length);
        if (end == 0) end = Uppers(text, 0);
        if (end > 0) return Contracts ? end + Contractions.LengthAt(text, end, ignoreCase: true) : end;

        if ((kind & CharacterKind.Number) != 0)
        {
            end = length;
            for (int n = 1; n < Digits && end < text.Length && (Characters.KindAt(text, end, out length) & CharacterKind.Number) != 0; n++) end += length;
            return end;
        }

        int start = text[0] == ' ' && text.Length > 1 ? 1 : 0;
        if ((Characters.KindAt(text, start, out _) & Parted) == 0)
        {
            end = Characters.SkipUntil(text, start, Parted);
            while (end < text.Length && (LineEnds.Is(text[end]) || text[end] == '/')) end++;
            return end;
        }
        return LineEnds.MatchSpaces(text) is > 0 and var spaces ? spaces : SpacesBefore(text, Characters.SkipWhile(text, 0, CharacterKind.Space));
    }

    /// <summary>
    /// The end of <c>U*W+</c> from <paramref name="start"/> on, or 0. Letters without case are in both sets: where no lower-case
    /// letter ends the run of U, the last of them is given back to W.
    /// </summary>
    private static int UpperThenLower(ReadOnlySpan<byte> text, int start)
    {
        int afterLastBoth = 0;
        int at = start;
        while (at < text.Length)
        {
            CharacterKind kind = Characters.KindAt(text, at, out int length);
            if ((kind & (CharacterKind.Letter | CharacterKind.Mark)) == 0) break;
            if ((kind & CharacterKind.Lower) != 0) return Lowers(text, at);
            at += length;
            if ((kind & CharacterKind.Upper) == 0) afterLastBoth = at;
        }
        return afterLastBoth;
    }

    /// <summary>The end of <c>W*</c>.</summary>
    private static int Lowers(ReadOnlySpan<byte> text, int at)
    {
        while (at < text.Length)
        {
            CharacterKind kind = Characters.KindAt(text, at, out int length);
            if ((kind & (CharacterKind.Letter | CharacterKind.Mark)) == 0 || (kind & CharacterKind.Upper) != 0) break;
            at += length;
        }
        return at;
    }

    /// <summary>The end of <c>U+</c>, or 0; <c>W*</c> behind it is empty wherever <see cref="UpperThenLower"/> found nothing.</summary>
    private static int Uppers(ReadOnlySpan<byte> text, int start)
    {
        int end = start < text.Length ? Characters.SkipWhile(text, start, CharacterKind.Upper) : start;
        return end > start ? end : 0;
    }
}
