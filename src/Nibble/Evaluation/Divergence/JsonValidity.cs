using System.Text;
using System.Text.Json;

namespace Nibble.Evaluation.Divergence;

/// <summary>Whether a generated text is JSON.</summary>
public static class JsonValidity
{
    private const string Fence = "```";

    /// <summary>
    /// Whether a text begins, after white space and the opening line of a code block, with a complete JSON object or array. What follows it
    /// does not count: a model that was not told when to stop goes on.
    /// </summary>
    public static bool IsValid(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        text = text.TrimStart();
        if (text.StartsWith(Fence, StringComparison.Ordinal))
        {
            int line = text.IndexOf('\n', StringComparison.Ordinal);
            if (line < 0) return false;
            text = text[line..].TrimStart();
        }
        if (text is not ['{' or '[', ..]) return false;
        Utf8JsonReader reader = new(Encoding.UTF8.GetBytes(text), isFinalBlock: true, state: default);
        try
        {
            reader.Read();
            reader.Skip(); // to the end of the value; throws where it is damaged or does not end
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
