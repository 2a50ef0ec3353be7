namespace Nibble.Tokenizers.PreTokenizers;

/// <summary>Carriage returns and line feeds.</summary>
internal static class LineEnds
{
    public static bool Is(byte character) => character is (byte)'\r' or (byte)'\n';

    /// <summary>The end of <c>[\r\n]*</c> from <paramref name="at"/> on.</summary>
    public static int Skip(ReadOnlySpan<byte> text, int at)
    {
        while (at < text.Length && Is(text[at])) at++;
        return at;
    }

    /// <summary>Bytes of <c>\s*[\r\n]+</c> at the start of the text: white space up to its last line end; 0 where it has none.</summary>
    public static int MatchSpaces(ReadOnlySpan<byte> text)
    {
        int end = Characters.SkipWhile(text, 0, CharacterKind.Space);
        return text[..end].LastIndexOfAny((byte)'\r', (byte)'\n') + 1;
    }
}
