using System.Text.RegularExpressions;

namespace Nibble.Evaluation.Tasks;

/// <summary>Finds the answer in generated text and compares it, by the filters and the metric <c>exact_match</c> of the harness.</summary>
internal static partial class AnswerExtraction
{
    /// <summary>What stands where no answer is found.</summary>
    private const string Invalid = "[invalid]";

    /// <summary>The last number of a text.</summary>
    public static string LastNumber(string text)
    {
        MatchCollection matches = Number().Matches(text);
        return matches.Count == 0 ? Invalid : matches[^1].Value.Trim();
    }

    /// <summary>What the first group of <paramref name="pattern"/> first finds; without a group the whole of it.</summary>
    public static string First(Regex pattern, string text)
    {
        Match match = pattern.Match(text);
        return !match.Success ? Invalid : (match.Groups.Count > 1 ? match.Groups[1] : match).Value.Trim();
    }

    /// <summary>The number behind the four hashes by which a solution of GSM8K ends.</summary>
    public static string AfterHashes(string text) => First(Hashes(), text);

    /// <summary>Whether an answer is that of GSM8K, without signs that do not count.</summary>
    public static bool IsSameNumber(string found, string answer) => string.Equals(Bare(found), Bare(answer), StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether two texts are the same but for case and the 32 punctuation marks of ASCII.</summary>
    public static bool IsSameWithoutPunctuation(string found, string answer) => string.Equals(WithoutPunctuation(found), WithoutPunctuation(answer), StringComparison.OrdinalIgnoreCase);

    private static string Bare(string text)
    {
        string bare = text.Replace(",", "", StringComparison.Ordinal).Replace("$", "", StringComparison.Ordinal);
        return FullStop().Replace(UpToHashes().Replace(bare, ""), "");
    }

    private static string WithoutPunctuation(string text) => string.Concat(text.Where(c => !(char.IsAscii(c) && (char.IsPunctuation(c) || char.IsSymbol(c)))));

    [GeneratedRegex(@"-?[$0-9.,]{2,}|-?[0-9]+")]
    private static partial Regex Number();

    [GeneratedRegex(@"#### (-?[0-9.,]+)")]
    private static partial Regex Hashes();

    [GeneratedRegex(".*#### ", RegexOptions.Singleline)]
    private static partial Regex UpToHashes();

    [GeneratedRegex(@"\.$")]
    private static partial Regex FullStop();
}
