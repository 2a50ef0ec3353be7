namespace Nibble.Tokenizers.PreTokenizers;

/// <summary>White space at the very end: <c>\s+$</c></summary>
internal sealed class FinalSpaces : WordPattern
{
    protected override int Match(ReadOnlySpan<byte> text) => Characters.SkipWhile(text, 0, CharacterKind.Space) is var end && end == text.Length ? end : 0;

    public override int FirstPiece(ReadOnlySpan<byte> text)
    {
        int final = 0; // where the run of white space that reaches the end begins
        for (int at = 0; at < text.Length;)
        {
            at = Characters.SkipUntil(text, at, CharacterKind.Space);
            final = at;
            at = Characters.SkipWhile(text, at, CharacterKind.Space);
        }
        return final == 0 ? text.Length : final;
    }
}
