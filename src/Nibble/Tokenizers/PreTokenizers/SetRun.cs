namespace Nibble.Tokenizers.PreTokenizers;

/// <summary>A run of characters from one set, such as <c>\p{N}{1,3}</c> or <c>\s?\p{L}+</c>.</summary>
internal sealed class SetRun(CharacterSet set) : WordPattern
{
    /// <summary>Fewest characters of a match.</summary>
    public int AtLeast { get; init; } = 1;

    /// <summary>Most characters of a match.</summary>
    public int AtMost { get; init; } = int.MaxValue;

    /// <summary>What may come before the run: one character of this kind.</summary>
    public CharacterKind Before { get; init; }

    /// <summary>Whether a space (U+0020) may come before the run.</summary>
    public bool SpaceBefore { get; init; }

    protected override int Match(ReadOnlySpan<byte> text)
    {
        CharacterKind first = Characters.KindAt(text, 0, out int length);
        if ((first & Before) != 0 || (SpaceBefore && text[0] == ' '))
        {
            int end = Run(text, length);
            if (end > 0) return end;
        }
        return Run(text, 0);
    }

    /// <summary>The end of the run that begins at <paramref name="at"/>, or 0.</summary>
    private int Run(ReadOnlySpan<byte> text, int at)
    {
        int count = 0;
        while (count < AtMost && at < text.Length && set.Contains(Characters.Decode(text, at, out int length)))
        {
            at += length;
            count++;
        }
        return count >= AtLeast ? at : 0;
    }
}
