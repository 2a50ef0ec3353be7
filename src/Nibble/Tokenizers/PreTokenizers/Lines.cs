namespace Nibble.Tokenizers.PreTokenizers;

/// <summary>Lines and the line feeds between them: <c>[^\n]+|[\n]+</c></summary>
internal sealed class Lines : WordPattern
{
    protected override int Match(ReadOnlySpan<byte> text)
    {
        int end = text[0] == '\n' ? text.IndexOfAnyExcept((byte)'\n') : text.IndexOf((byte)'\n');
        return end < 0 ? text.Length : end;
    }
}
