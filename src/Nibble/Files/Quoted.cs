using System.Globalization;
using System.Text;

namespace Nibble.Files;

/// <summary>Text from a file, made fit for an error message: on one line, of bounded length, in single quotes.</summary>
internal static class Quoted
{
    private const int Longest = 80;

    public static string Of(ReadOnlySpan<byte> utf8) => Of(Encoding.UTF8.GetString(utf8[..Math.Min(utf8.Length, 4 * Longest)]));

    public static string Of(string text)
    {
        StringBuilder quoted = new("'");
        foreach (char c in text.AsSpan(0, Math.Min(text.Length, Longest)))
        {
            bool plain = !char.IsControl(c) && c is not ('\u2028' or '\u2029' or '\'');
            if (plain) quoted.Append(c);
            else quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
        }
        return quoted.Append(text.Length > Longest ? "…'" : "'").ToString();
    }
}
