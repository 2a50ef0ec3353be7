using System.Text.Json;
using Nibble.Memory;

namespace Nibble.Files.HuggingFace;

/// <summary>Reads the small JSON files of a model folder.</summary>
internal static class JsonFile
{
    private const int Deepest = 64;
    private const long Longest = 64 << 20;

    /// <summary>The object that a file holds.</summary>
    /// <exception cref="NibbleException">The file is missing, too large, or not a JSON object.</exception>
    public static JsonSection Read(string path)
    {
        using MappedFile file = new(path);
        if (file.Length == 0) Throw.BadFile(path, "the file is empty; download it again");
        if (file.Length > Longest) Throw.BadFile(path, $"has {file.Length:N0} bytes, but such a file has at most {Longest:N0}");
        ReadOnlySpan<byte> bytes = file.Region.AsSpan<byte>();
        if (FileKind.Describe(bytes) is { } problem) Throw.BadFile(path, problem);
        if (bytes.StartsWith("\uFEFF"u8)) bytes = bytes[3..];
        try
        {
            Utf8JsonReader reader = new(bytes, new JsonReaderOptions { MaxDepth = Deepest, CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            JsonElement root = JsonElement.ParseValue(ref reader);
            if (root.ValueKind != JsonValueKind.Object) Throw.BadFile(path, "does not hold a JSON object; the file is damaged, download it again");
            return new(path, root);
        }
        catch (JsonException e)
        {
            throw new NibbleException($"{path}: is not valid JSON in line {e.LineNumber + 1}; the file is damaged, download it again", e);
        }
    }
}
