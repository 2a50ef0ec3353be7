namespace Nibble.Tokenizers.PreTokenizers;

/// <summary>
/// One regular expression of a pre-tokenizer, written out as a scanner over UTF-8. It cuts text into the stretches that match
/// and the stretches between them.
/// </summary>
internal abstract class WordPattern
{
    /// <summary>Bytes of the match at the start of <paramref name="text"/>, which is not empty, or 0 where there is none.</summary>
    protected abstract int Match(ReadOnlySpan<byte> text);

    /// <summary>Bytes of the first stretch of <paramref name="text"/>, which is not empty: a match, or all up to the next match.</summary>
    public virtual int FirstPiece(ReadOnlySpan<byte> text)
    {
        int matched = Match(text);
        if (matched > 0) return matched;
        int at = 0;
        do
        {
            Characters.Decode(text, at, out int length);
            at += length;
        }
        while (at < text.Length && Match(text[at..]) == 0);
        return at;
    }

    /// <summary>Bytes of the first white space that <c>\s+(?!\S)|\s+</c> matches, where a run of it ends at <paramref name="end"/>.</summary>
    /// <remarks>The last one of several is left to the word that follows.</remarks>
    protected static int SpacesBefore(ReadOnlySpan<byte> text, int end)
    {
        if (end == text.Length) return end;
        int last = 0;
        for (int at = 0; at < end;)
        {
            Characters.Decode(text, at, out int length);
            last = at;
            at += length;
        }
        return last > 0 ? last : end;
    }
}
