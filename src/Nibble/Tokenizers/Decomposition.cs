using System.Globalization;

namespace Nibble.Tokenizers;

/// <summary>
/// Canonical decomposition without the marks that BERT drops afterwards. .NET's own normalization does nothing in programs that
/// run without cultures, hence a table.
/// </summary>
internal static partial class Decomposition
{
    private const int FirstSyllable = 0xAC00;
    private const int LastSyllable = 0xD7A3;

    private static readonly int[][] s_ascii = [.. Enumerable.Range(0, 0x80).Select(character => new[] { character })];
    private static readonly Dictionary<int, int[]> s_parts = Read();

    /// <summary>What is left of a character.</summary>
    public static IReadOnlyList<int> Of(int character)
    {
        if (character < 0x80) return s_ascii[character];
        if (character is >= FirstSyllable and <= LastSyllable) return Jamo(character - FirstSyllable);
        return s_parts.TryGetValue(character, out int[]? parts) ? parts : [character];
    }

    /// <summary>The consonant, the vowel and the final consonant of a Hangul syllable; see The Unicode Standard, 3.12.</summary>
    private static int[] Jamo(int syllable)
    {
        const int Vowels = 21;
        const int Finals = 28; // the first of them is none
        int leading = 0x1100 + syllable / (Vowels * Finals);
        int vowel = 0x1161 + syllable / Finals % Vowels;
        int final = syllable % Finals;
        return final == 0 ? [leading, vowel] : [leading, vowel, 0x11A7 + final];
    }

    private static Dictionary<int, int[]> Read()
    {
        Dictionary<int, int[]> parts = [];
        foreach (string entry in Table.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
        {
            string[] sides = entry.Split('=');
            int[] characters = [.. sides[0].Split('-').Select(Hex)];
            int[] left = [.. sides[1].Split('+', StringSplitOptions.RemoveEmptyEntries).Select(Hex)];
            for (int character = characters[0]; character <= characters[^1]; character++) parts[character] = left;
        }
        return parts;

        static int Hex(string digits) => int.Parse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
    }
}
