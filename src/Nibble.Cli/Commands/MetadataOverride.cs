using System.Globalization;
using Nibble.Files;

namespace Nibble.Cli.Commands;

/// <summary>Metadata from the command line, <c>KEY=TYPE:VALUE</c>, as llama.cpp writes it: int becomes uint32, float float32.</summary>
internal static class MetadataOverride
{
    public static KeyValuePair<string, MetadataValue> Parse(string text)
    {
        int equals = text.IndexOf('='), colon = text.IndexOf(':', Math.Max(equals, 0));
        if (equals <= 0 || colon < 0) throw Wrong(text);
        string value = text[(colon + 1)..];
        return new(text[..equals], text[(equals + 1)..colon].ToUpperInvariant() switch
        {
            "INT" when uint.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out uint number) => MetadataValue.Of(number),
            "INT" when int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number) => MetadataValue.Of(number),
            "FLOAT" when float.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out float number) => MetadataValue.Of(number),
            "BOOL" when bool.TryParse(value, out bool truth) => MetadataValue.Of(truth),
            "STR" => MetadataValue.Of(value),
            _ => throw Wrong(text),
        });
    }

    private static NibbleException Wrong(string text) =>
        new($"'{text}' is no metadata; write KEY=TYPE:VALUE with TYPE int, float, bool or str, as in llama.context_length=int:8192");
}
