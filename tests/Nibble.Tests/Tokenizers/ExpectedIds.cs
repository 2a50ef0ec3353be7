using System.Globalization;
using System.Text.Json;

namespace Nibble.Tests.Tokenizers;

/// <summary>Texts and the ids that other implementations give for them.</summary>
internal static class ExpectedIds
{
    /// <summary>Texts of a <c>.inp</c> file and the ids of the <c>.out</c> file beside it, one line for each text.</summary>
    public static List<(string Text, int[] Ids)> Pairs(string input, string output)
    {
        string[] texts = File.ReadAllText(input).Split("\n__ggml_vocab_test__\n");
        string[] lines = File.ReadAllText(output).TrimEnd('\n').Split('\n');
        return [.. texts.Zip(lines, (text, line) => (text, line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(id => int.Parse(id, CultureInfo.InvariantCulture)).ToArray()))];
    }

    /// <summary>A list of <c>{"text", "ids"}</c>.</summary>
    public static List<(string Text, int[] Ids)> Json(string path)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(path));
        return [.. document.RootElement.EnumerateArray().Select(e => (e.GetProperty("text").GetString()!, e.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32()).ToArray()))];
    }
}
