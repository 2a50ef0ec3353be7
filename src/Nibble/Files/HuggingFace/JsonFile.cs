using System.Text.Json;

namespace Nibble.Files.HuggingFace;

/// <summary>A JSON file, with errors that name it and the key at fault.</summary>
internal sealed class JsonFile : IDisposable
{
    private const long LargestFile = 1L << 30;

    private readonly JsonDocument _document;

    private JsonFile(string path, JsonDocument document)
    {
        Path = path;
        _document = document;
    }

    public string Path { get; }

    public JsonElement Root => _document.RootElement;

    /// <summary>Opens a file that must hold an object.</summary>
    public static JsonFile Open(string path)
    {
        ReadOnlyMemory<byte> bytes = ReadBytes(path, LargestFile);
        if (bytes.IsEmpty) Throw.BadFile(path, "the file is empty; download it again");
        if (FileKind.Describe(bytes.Span) is { } problem) Throw.BadFile(path, problem);
        if (bytes.Span.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF])) bytes = bytes[3..];
        try
        {
            JsonDocument document = JsonDocument.Parse(bytes);
            if (document.RootElement.ValueKind == JsonValueKind.Object) return new(path, document);
            document.Dispose();
        }
        catch (JsonException e)
        {
            throw new NibbleException($"{path}: is not valid JSON (line {e.LineNumber + 1}); download it again", e);
        }
        return Throw.BadFile<JsonFile>(path, "holds no JSON object; download it again");
    }

    /// <summary>Opens a file of a folder, or returns <see langword="null"/> where there is none.</summary>
    public static JsonFile? TryOpen(string folder, string name)
    {
        string path = System.IO.Path.Combine(folder, name);
        return File.Exists(path) ? Open(path) : null;
    }

    /// <summary>The bytes of a file that is to be held in memory.</summary>
    public static byte[] ReadBytes(string path, long largest)
    {
        try
        {
            if (new FileInfo(path) is { Exists: true } file && file.Length > largest)
                Throw.BadFile(path, $"is larger than {largest >> 20:N0} MB, which no such file is; download it again");
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new NibbleException($"{path}: cannot be read ({e.Message.ReplaceLineEndings(" ")})", e);
        }
    }

    /// <summary>A member of an object; <see langword="null"/> where it is absent or null.</summary>
    /// <exception cref="InvalidOperationException">A name in the object holds half a surrogate pair; <see cref="TokenizerFiles"/> names the file.</exception>
    public static JsonElement? Member(JsonElement? element, string name) =>
        element is { ValueKind: JsonValueKind.Object } owner && owner.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>A text; <see langword="null"/> where the element is absent.</summary>
    public string? Text(JsonElement? element, string key)
    {
        if (element is not JsonElement value) return null;
        if (value.ValueKind != JsonValueKind.String) return Throw.BadFile<string>(Path, $"'{key}' is not a text; download the file again");
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException e)
        {
            throw new NibbleException($"{Path}: '{key}' holds half a surrogate pair, which is no text; download the file again", e);
        }
    }

    /// <summary>A name of a member, as text.</summary>
    public string Name(JsonProperty property, string key)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException e)
        {
            throw new NibbleException($"{Path}: '{key}' holds half a surrogate pair, which is no text; download the file again", e);
        }
    }

    /// <summary>A whole number; <see langword="null"/> where the element is absent.</summary>
    public int? Integer(JsonElement? element, string key)
    {
        if (element is not JsonElement value) return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number)) return number;
        return Throw.BadFile<int>(Path, $"'{key}' is not a whole number; download the file again");
    }

    /// <summary>True or false; <see langword="null"/> where the element is absent or something else.</summary>
    public static bool? Bool(JsonElement? element) => element?.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => null,
    };

    /// <summary>The elements of an array; none where it is absent.</summary>
    public JsonElement.ArrayEnumerator Array(JsonElement? element, string key)
    {
        if (element is not JsonElement value) return default;
        return value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : Throw.BadFile<JsonElement.ArrayEnumerator>(Path, $"'{key}' is not a list; download the file again");
    }

    public void Dispose() => _document.Dispose();
}
