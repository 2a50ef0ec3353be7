namespace Nibble.Tokenizers.PreTokenizers;

/// <summary>GPT-2: <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c></summary>
internal sealed class Gpt2Words : WordPattern
{
    private const CharacterKind Parted = CharacterKind.Letter | CharacterKind.Number | CharacterKind.Space;

    protected override int Match(ReadOnlySpan<byte> text)
    {
        int contraction = Contractions.LengthAt(text, 0, ignoreCase: false);
        if (contraction > 0) return contraction;

        int start = text[0] == ' ' && text.Length > 1 ? 1 : 0;
        CharacterKind kind = Characters.KindAt(text, start, out int length) & Parted;
        return kind switch
        {
            CharacterKind.Space => SpacesBefore(text, Characters.SkipWhile(text, 0, CharacterKind.Space)),
            CharacterKind.Other => Characters.SkipUntil(text, start + length, Parted),
            _ => Characters.SkipWhile(text, start + length, kind),
        };
    }
}
