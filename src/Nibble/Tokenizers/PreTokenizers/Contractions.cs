namespace Nibble.Tokenizers.PreTokenizers;

/// <summary>The English endings <c>'s 't 'm 'd 're 've 'll</c>.</summary>
internal static class Contractions
{
    /// <summary>Bytes of the ending at <paramref name="at"/>, or 0.</summary>
    public static int LengthAt(ReadOnlySpan<byte> text, int at, bool ignoreCase)
    {
        if (at + 1 >= text.Length || text[at] != '\'') return 0;
        int fold = ignoreCase ? 0x20 : 0;
        int first = text[at + 1] | fold;
        if (first is 's' or 't' or 'm' or 'd') return 2;
        if (at + 2 >= text.Length) return 0;
        int second = text[at + 2] | fold;
        return (first, second) is ('r', 'e') or ('v', 'e') or ('l', 'l') ? 3 : 0;
    }
}
