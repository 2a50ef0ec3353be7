using System.Text.Json;

namespace Nibble.Files.HuggingFace;

/// <summary>An object in a JSON file, read key by key. A key whose value is <c>null</c> counts as absent; a value of the wrong type is one clear error.</summary>
/// <param name="path">The file, for error messages.</param>
/// <param name="element">The object.</param>
/// <param name="prefix">The keys that lead here, for error messages.</param>
internal sealed class JsonSection(string path, JsonElement element, string prefix = "")
{
    public string Path => path;

    /// <summary>The object that a file holds.</summary>
    /// <exception cref="NibbleException">The file is missing or damaged.</exception>
    public static JsonSection Read(string path)
    {
        using JsonFile file = JsonFile.Open(path);
        return new(path, file.Root.Clone());
    }

    public bool Has(string key) => Get(key) is not null;

    /// <summary>The whole number under the first of <paramref name="keys"/> that is there, from 1 to 2^31 - 1.</summary>
    public int Int(params ReadOnlySpan<string> keys) => TryInt(keys) ?? Throw.BadFile<int>(path, $"key '{prefix}{keys[0]}' is missing; the file is damaged or not a language model's");

    /// <inheritdoc cref="Int"/>
    public int? TryInt(params ReadOnlySpan<string> keys)
    {
        foreach (string key in keys)
        {
            if (Get(key) is not { } value) continue;
            // Some files write whole numbers as 4096.0.
            if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && number is >= 1 and <= int.MaxValue && double.IsInteger(number)) return (int)number;
            return Wrong<int>(key, value, "a whole number from 1 to 2^31 - 1");
        }
        return null;
    }

    /// <summary>A whole number from 1 to 2^63 - 1.</summary>
    public long? TryLong(string key)
    {
        if (Get(key) is not { } value) return null;
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) && number >= 1 ? number : Wrong<long>(key, value, "a whole number from 1");
    }

    /// <summary>A number that single precision can hold.</summary>
    public double? TryFloat(string key)
    {
        if (Get(key) is not { } value) return null;
        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && float.IsFinite((float)number)
            ? number
            : Wrong<double>(key, value, "a number");
    }

    /// <summary>A number above zero.</summary>
    public double? TryPositive(string key) =>
        TryFloat(key) is not { } number ? null : number > 0 ? number : Wrong<double>(key, Get(key)!.Value, "a number above zero");

    public bool? TryBool(string key)
    {
        if (Get(key) is not { } value) return null;
        return value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => Wrong<bool>(key, value, "true or false"),
        };
    }

    public string? TryString(string key)
    {
        if (Get(key) is not { } value) return null;
        return value.ValueKind == JsonValueKind.String ? Text(value) : Wrong<string>(key, value, "a text");
    }

    public string[]? TryStrings(string key)
    {
        if (Get(key) is not { } value) return null;
        if (value.ValueKind != JsonValueKind.Array || value.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.String))
            Wrong<string[]>(key, value, "a list of texts");
        return [.. value.EnumerateArray().Select(Text)];
    }

    public JsonSection? TrySection(string key)
    {
        if (Get(key) is not { } value) return null;
        return value.ValueKind == JsonValueKind.Object ? new(path, value, $"{prefix}{key}.") : Wrong<JsonSection>(key, value, "an object");
    }

    /// <summary>All keys with their values, which must be texts.</summary>
    public IEnumerable<(string Key, string Value)> Texts()
    {
        foreach (JsonProperty property in element.EnumerateObject())
        {
            string key = Valid(() => property.Name);
            if (property.Value.ValueKind != JsonValueKind.String) Wrong<string>(key, property.Value, "a text");
            yield return (key, Text(property.Value));
        }
    }

    private JsonElement? Get(string key) =>
        Valid<JsonElement?>(() => element.TryGetProperty(key, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null);

    private string Text(JsonElement value) => Valid(() => value.GetString()!);

    /// <summary>Reads a text, which fails where the file holds half of a surrogate pair.</summary>
    private T Valid<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (InvalidOperationException e)
        {
            throw new NibbleException($"{path}: holds a text that is not valid Unicode; the file is damaged, download it again", e);
        }
    }

    private T Wrong<T>(string key, JsonElement value, string wanted)
    {
        string found = value.ValueKind is JsonValueKind.Object ? "an object" : value.ValueKind is JsonValueKind.Array ? "a list" : value.GetRawText();
        return Throw.BadFile<T>(path, $"key {Quoted.Of(prefix + key)} is {Quoted.Of(found)} where {wanted} was expected");
    }
}
