using System.Text.Encodings.Web;
using System.Text.Json;

namespace Nibble.Cli.Terminal;

/// <summary>A result as JSON on standard output.</summary>
internal static class JsonOutput
{
    // Names and texts are printed for people and programs, not into a page: only what JSON needs is escaped.
    private static readonly JsonWriterOptions s_options = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A number, or <c>null</c> for one that JSON has not: an error that a single value leaves unknown.</summary>
    public static void WriteFinite(this Utf8JsonWriter json, string name, double value)
    {
        if (double.IsFinite(value)) json.WriteNumber(name, value);
        else json.WriteNull(name);
    }

    public static void Write(Action<Utf8JsonWriter> write)
    {
        using MemoryStream text = new();
        using (Utf8JsonWriter json = new(text, s_options)) write(json);
        text.WriteByte((byte)'\n');
        using Stream output = Console.OpenStandardOutput();
        ResultWriter.Try(() => text.WriteTo(output));
    }
}
