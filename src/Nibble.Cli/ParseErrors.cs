using System.Text.RegularExpressions;

namespace Nibble.Cli;

/// <summary>Says in a user's words what the command-line parser says in a programmer's.</summary>
internal static partial class ParseErrors
{
    public static string Explain(string message)
    {
        Match number = WrongNumber().Match(message);
        if (number.Success) return $"{number.Groups["option"].Value} is '{number.Groups["value"].Value}', which is no whole number in its range";
        Match extra = ExtraWord().Match(message);
        return extra.Success ? $"'{extra.Groups["value"].Value}' is one word too many; put text with spaces in quotes" : message;
    }

    [GeneratedRegex("^Cannot parse argument '(?<value>.*)' for option '(?<option>.*)' as expected type", RegexOptions.Singleline)]
    private static partial Regex WrongNumber();

    [GeneratedRegex("^Unrecognized command or argument '(?<value>.*)'", RegexOptions.Singleline)]
    private static partial Regex ExtraWord();
}
