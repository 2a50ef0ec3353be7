using System.Globalization;
using System.Text.Json;

namespace Nibble.Evaluation.Tasks.Data;

/// <summary>A line of a task's data, a JSON object, with errors that name the file, the line and the field.</summary>
internal readonly struct TaskRow(string path, int line, JsonElement element)
{
    // JSON allows \ud800 without its other half; text does not.
    private const string HalfPair = "has half of a surrogate pair (\\ud800 to \\udfff), which is no character; write both halves";

    /// <summary>Where it stands, counted from 1.</summary>
    public int Line { get; } = line;

    /// <summary>What tells it from the other lines: its own name where it has one, else the line.</summary>
    public string Id => Text("id") ?? Text("task_id") ?? string.Create(CultureInfo.InvariantCulture, $"line {Line}");

    public bool Has(string field) => TryGet(field, out JsonElement value) && value.ValueKind != JsonValueKind.Null;

    /// <summary>Whether it has all of these fields.</summary>
    public bool HasAll(params ReadOnlySpan<string> fields)
    {
        foreach (string field in fields)
            if (!Has(field)) return false;
        return true;
    }

    /// <summary>A text; a number is taken as it is written.</summary>
    public string String(string field)
    {
        JsonElement value = Required(field);
        return value.ValueKind switch
        {
            JsonValueKind.String => TextOf(field, value),
            JsonValueKind.Number => value.GetRawText(),
            _ => Mistyped<string>(field, "a text", value),
        };
    }

    public string? TryString(string field) => Has(field) ? String(field) : null;

    /// <summary>Some texts.</summary>
    public string[] Strings(string field, int atLeast = 1)
    {
        JsonElement value = Required(field);
        if (value.ValueKind != JsonValueKind.Array || value.EnumerateArray().Any(v => v.ValueKind != JsonValueKind.String)) return Mistyped<string[]>(field, "a list of texts", value);
        List<string> texts = [];
        foreach (JsonElement text in value.EnumerateArray()) texts.Add(TextOf(field, text));
        return texts.Count >= atLeast ? [.. texts] : Bad<string[]>($"the field \"{field}\" has {texts.Count} texts, and needs at least {atLeast}");
    }

    /// <summary>A whole number, which may stand in quotation marks, or a truth value as 0 or 1.</summary>
    public int Int(string field)
    {
        JsonElement value = Required(field);
        return value.ValueKind switch
        {
            JsonValueKind.Number when value.TryGetInt32(out int number) => number,
            JsonValueKind.String when int.TryParse(TextOf(field, value), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number) => number,
            JsonValueKind.True => 1,
            JsonValueKind.False => 0,
            _ => Mistyped<int>(field, "a whole number", value),
        };
    }

    /// <summary>The index of the right one of <paramref name="count"/> choices.</summary>
    public int Index(string field, int count, int first = 0)
    {
        int index = Int(field) - first;
        return (uint)index < (uint)count ? index : Bad<int>($"the field \"{field}\" is {index + first}, and must be from {first} to {count - 1 + first}: it counts the choices");
    }

    /// <summary>An object inside this one.</summary>
    public TaskRow Inner(string field)
    {
        JsonElement value = Required(field);
        return value.ValueKind == JsonValueKind.Object ? new(path, Line, value) : Mistyped<TaskRow>(field, "an object", value);
    }

    /// <summary>Whether a field holds an object.</summary>
    public bool IsObject(string field) => TryGet(field, out JsonElement value) && value.ValueKind == JsonValueKind.Object;

    /// <summary>The objects of a list.</summary>
    public TaskRow[] Rows(string field)
    {
        JsonElement value = Required(field);
        if (value.ValueKind != JsonValueKind.Array || value.EnumerateArray().Any(v => v.ValueKind != JsonValueKind.Object)) return Mistyped<TaskRow[]>(field, "a list of objects", value);
        string file = path;
        int line = Line;
        return [.. value.EnumerateArray().Select(v => new TaskRow(file, line, v))];
    }

    public bool IsArray(string field) => TryGet(field, out JsonElement value) && value.ValueKind == JsonValueKind.Array;

    public T Bad<T>(string problem) => Throw.BadFile<T>(path, $"line {Line}: {problem}");

    private string? Text(string field) => TryGet(field, out JsonElement value) && value.ValueKind == JsonValueKind.String ? TextOf(field, value) : null;

    private bool TryGet(string field, out JsonElement value)
    {
        try
        {
            return element.TryGetProperty(field, out value);
        }
        catch (InvalidOperationException e) // names are read as they are compared
        {
            throw new NibbleException($"{path}: line {Line}: the name of a field {HalfPair}", e);
        }
    }

    private string TextOf(string field, JsonElement value)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw new NibbleException($"{path}: line {Line}: the field \"{field}\" {HalfPair}", e);
        }
    }

    private JsonElement Required(string field) =>
        TryGet(field, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : Bad<JsonElement>($"the field \"{field}\" is missing");

    private T Mistyped<T>(string field, string wanted, JsonElement value) => Bad<T>($"the field \"{field}\" must be {wanted}, and is {Name(value.ValueKind)}");

    private static string Name(JsonValueKind kind) => kind switch
    {
        JsonValueKind.Array => "a list",
        JsonValueKind.Object => "an object",
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number",
        JsonValueKind.True or JsonValueKind.False => "true or false",
        _ => "nothing",
    };
}
