using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;

namespace Nibble.Files;

/// <summary>A metadata value as one short text that keeps its type: <c>uint32:8192</c>, <c>float32:0.5</c>, <c>bool:true</c>, <c>string:tiny</c>.</summary>
internal static class MetadataText
{
    /// <summary>The text, or <see langword="null"/> for arrays and for strings that are not valid UTF-8, which have none.</summary>
    public static string? Write(MetadataValue value)
    {
        if (value.Type == MetadataType.Array) return null;
        string text = value.ToString();
        if (value.Type == MetadataType.String && !Encoding.UTF8.GetBytes(text).AsSpan().SequenceEqual(value.Bytes.Span)) return null;
        return $"{value.Type.ToString().ToLowerInvariant()}:{text}";
    }

    /// <summary>The value that a text stands for, or <see langword="null"/> where it stands for none.</summary>
    public static MetadataValue? Parse(string text)
    {
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0) return null;
        string value = text[(colon + 1)..];
        return text[..colon] switch
        {
            "string" => MetadataValue.Of(value),
            "bool" => bool.TryParse(value, out bool truth) ? MetadataValue.Of(truth) : null,
            "uint8" => Number<byte>(MetadataType.UInt8, value),
            "int8" => Number<sbyte>(MetadataType.Int8, value),
            "uint16" => Number<ushort>(MetadataType.UInt16, value),
            "int16" => Number<short>(MetadataType.Int16, value),
            "uint32" => Number<uint>(MetadataType.UInt32, value),
            "int32" => Number<int>(MetadataType.Int32, value),
            "uint64" => Number<ulong>(MetadataType.UInt64, value),
            "int64" => Number<long>(MetadataType.Int64, value),
            "float32" => Number<float>(MetadataType.Float32, value, NumberStyles.Float),
            "float64" => Number<double>(MetadataType.Float64, value, NumberStyles.Float),
            _ => null,
        };
    }

    private static MetadataValue? Number<T>(MetadataType type, string text, NumberStyles style = NumberStyles.AllowLeadingSign) where T : unmanaged, INumberBase<T> =>
        T.TryParse(text, style, CultureInfo.InvariantCulture, out T number) ? new(type, type, 1, MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in number)).ToArray()) : null;
}
