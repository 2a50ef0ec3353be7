using System.Globalization;
using System.Text;

namespace Nibble.Tokenizers;

/// <summary>The Unicode properties that the splitting of text into words looks at.</summary>
[Flags]
internal enum CharacterKind : byte
{
    /// <summary>Controls, unassigned code points and the rest.</summary>
    Other = 0,

    /// <summary><c>\p{L}</c></summary>
    Letter = 1,

    /// <summary><c>\p{N}</c></summary>
    Number = 2,

    /// <summary><c>\s</c>: the White_Space property, which controls such as line ends have too.</summary>
    Space = 4,

    /// <summary><c>\p{P}</c></summary>
    Punctuation = 8,

    /// <summary><c>\p{S}</c></summary>
    Symbol = 16,

    /// <summary><c>\p{M}</c></summary>
    Mark = 32,

    /// <summary><c>\p{Lu}</c> or <c>\p{Lt}</c>, beside <see cref="Letter"/>.</summary>
    Upper = 64,

    /// <summary><c>\p{Ll}</c>, beside <see cref="Letter"/>.</summary>
    Lower = 128,
}

/// <summary>
/// Walks UTF-8 text character by character. A byte that belongs to no valid sequence is a character of its own,
/// and counts as U+FFFD.
/// </summary>
internal static class Characters
{
    private const int PageBits = 8;

    private static readonly CharacterKind[] s_ascii = Page(0)[..128];

    // Kinds of 256 code points each, filled when one of them is met.
    private static readonly CharacterKind[]?[] s_pages = new CharacterKind[]?[0x110000 >> PageBits];

    /// <summary>The code point at <paramref name="at"/> and the number of its bytes.</summary>
    public static int Decode(ReadOnlySpan<byte> text, int at, out int length)
    {
        int first = text[at];
        length = 1;
        if (first < 0x80) return first;
        if (Rune.DecodeFromUtf8(text[at..], out Rune rune, out int bytes) != System.Buffers.OperationStatus.Done) return Rune.ReplacementChar.Value;
        length = bytes;
        return rune.Value;
    }

    /// <summary>The kind of the character at <paramref name="at"/> and the number of its bytes.</summary>
    public static CharacterKind KindAt(ReadOnlySpan<byte> text, int at, out int length)
    {
        int first = text[at];
        if (first < 0x80)
        {
            length = 1;
            return s_ascii[first];
        }
        return KindOf(Decode(text, at, out length));
    }

    public static CharacterKind KindOf(int codePoint)
    {
        CharacterKind[] page = s_pages[codePoint >> PageBits] ??= Page(codePoint >> PageBits << PageBits);
        return page[codePoint & ((1 << PageBits) - 1)];
    }

    /// <summary>The end of the run of characters, from <paramref name="at"/> on, that are of one of the given kinds.</summary>
    public static int SkipWhile(ReadOnlySpan<byte> text, int at, CharacterKind kinds)
    {
        while (at < text.Length && (KindAt(text, at, out int length) & kinds) != 0) at += length;
        return at;
    }

    /// <summary>The end of the run of characters, from <paramref name="at"/> on, that are of none of the given kinds.</summary>
    public static int SkipUntil(ReadOnlySpan<byte> text, int at, CharacterKind kinds)
    {
        while (at < text.Length && (KindAt(text, at, out int length) & kinds) == 0) at += length;
        return at;
    }

    /// <summary><c>\p{Mn}</c></summary>
    public static bool IsNonSpacingMark(int codePoint) => CharUnicodeInfo.GetUnicodeCategory(codePoint) == UnicodeCategory.NonSpacingMark;

    /// <summary>A control, format, surrogate or private-use character.</summary>
    public static bool IsControl(int codePoint) =>
        CharUnicodeInfo.GetUnicodeCategory(codePoint) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse;

    private static CharacterKind[] Page(int first)
    {
        CharacterKind[] kinds = new CharacterKind[1 << PageBits];
        for (int i = 0; i < kinds.Length; i++)
        {
            kinds[i] = CharUnicodeInfo.GetUnicodeCategory(first + i) switch
            {
                UnicodeCategory.UppercaseLetter or UnicodeCategory.TitlecaseLetter => CharacterKind.Letter | CharacterKind.Upper,
                UnicodeCategory.LowercaseLetter => CharacterKind.Letter | CharacterKind.Lower,
                UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter => CharacterKind.Letter,
                UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark => CharacterKind.Mark,
                UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => CharacterKind.Number,
                >= UnicodeCategory.ConnectorPunctuation and <= UnicodeCategory.OtherPunctuation => CharacterKind.Punctuation,
                >= UnicodeCategory.MathSymbol and <= UnicodeCategory.OtherSymbol => CharacterKind.Symbol,
                _ => CharacterKind.Other,
            };
            if (Rune.IsValid(first + i) && Rune.IsWhiteSpace(new Rune(first + i))) kinds[i] |= CharacterKind.Space;
        }
        return kinds;
    }
}
