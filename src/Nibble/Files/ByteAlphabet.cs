using System.Text;

namespace Nibble.Files;

/// <summary>
/// GPT-2's spelling of bytes as printable characters: a byte that is a printable Latin-1 character is that character, the other
/// 68 are U+0100 to U+0143 in ascending order, so that a space is <c>Ġ</c>.
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] s_characters = Characters();
    private static readonly short[] s_bytes = Bytes();

    /// <summary>The bytes that a token's text (UTF-8) spells, or <see langword="null"/> where a character of it spells none.</summary>
    public static byte[]? ToBytes(ReadOnlySpan<byte> text)
    {
        byte[] bytes = new byte[text.Length];
        int count = 0;
        while (!text.IsEmpty)
        {
            bool valid = Rune.DecodeFromUtf8(text, out Rune character, out int length) == System.Buffers.OperationStatus.Done;
            if (!valid || character.Value >= s_bytes.Length || s_bytes[character.Value] < 0) return null;
            bytes[count++] = (byte)s_bytes[character.Value];
            text = text[length..];
        }
        return bytes[..count];
    }

    /// <summary>The text that spells <paramref name="bytes"/>.</summary>
    public static string ToText(ReadOnlySpan<byte> bytes)
    {
        char[] text = new char[bytes.Length];
        for (int i = 0; i < text.Length; i++) text[i] = s_characters[bytes[i]];
        return new(text);
    }

    private static char[] Characters()
    {
        char[] characters = new char[256];
        char next = '\u0100';
        for (int value = 0; value < 256; value++)
        {
            bool printable = value is (>= 0x21 and <= 0x7E) or (>= 0xA1 and <= 0xAC) or >= 0xAE;
            characters[value] = printable ? (char)value : next++;
        }
        return characters;
    }

    private static short[] Bytes()
    {
        short[] bytes = new short[s_characters.Max() + 1];
        Array.Fill(bytes, (short)-1);
        for (int value = 0; value < 256; value++) bytes[s_characters[value]] = (short)value;
        return bytes;
    }
}
