namespace Nibble.Tokenizers.PreTokenizers;

/// <summary>Bloom: <c> ?[^(\s|.,!?…。，、।۔،)]+</c></summary>
internal sealed class BloomWords : WordPattern
{
    private static readonly CharacterSet s_parted = new(CharacterKind.Space,
        ('!', '!'), ('(', ')'), (',', ','), ('.', '.'), ('?', '?'), ('|', '|'),
        (0x060C, 0x060C), (0x06D4, 0x06D4), (0x0964, 0x0964), (0x2026, 0x2026), (0x3001, 0x3002), (0xFF0C, 0xFF0C));

    protected override int Match(ReadOnlySpan<byte> text)
    {
        int start = text[0] == ' ' ? 1 : 0;
        int end = start;
        while (end < text.Length && !s_parted.Contains(Characters.Decode(text, end, out int length))) end += length;
        return end > start ? end : 0;
    }
}
