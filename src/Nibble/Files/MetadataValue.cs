using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Nibble.Files;

/// <summary>The types of metadata values, with GGUF's numbers.</summary>
public enum MetadataType : uint
{
    UInt8 = 0, Int8 = 1, UInt16 = 2, Int16 = 3, UInt32 = 4, Int32 = 5, Float32 = 6, Bool = 7, String = 8, Array = 9, UInt64 = 10, Int64 = 11, Float64 = 12,
}

/// <summary>
/// One metadata value. It keeps the bytes of the file (little-endian), so that copying a model copies strings that are not valid
/// UTF-8 unchanged, and a vocabulary of 256,000 strings costs nothing until it is asked for.
/// </summary>
public sealed class MetadataValue
{
    /// <param name="type">The value's type.</param>
    /// <param name="elementType">For an array the type of its elements, else <paramref name="type"/>.</param>
    /// <param name="count">For an array the number of its elements, else 1.</param>
    /// <param name="bytes">A number's bytes; a string's UTF-8 without its length; an array's elements as GGUF stores them.</param>
    internal MetadataValue(MetadataType type, MetadataType elementType, int count, ReadOnlyMemory<byte> bytes)
    {
        Type = type;
        ElementType = elementType;
        Count = count;
        Bytes = bytes;
    }

    public MetadataType Type { get; }

    /// <summary>For an array the type of its elements, else <see cref="Type"/>.</summary>
    public MetadataType ElementType { get; }

    /// <summary>For an array the number of its elements, else 1.</summary>
    public int Count { get; }

    /// <summary>A number's bytes; a string's UTF-8 without its length; an array's elements as GGUF stores them.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    public static MetadataValue Of(string value) => new(MetadataType.String, MetadataType.String, 1, Encoding.UTF8.GetBytes(value));
    public static MetadataValue Of(bool value) => new(MetadataType.Bool, MetadataType.Bool, 1, new[] { (byte)(value ? 1 : 0) });
    public static MetadataValue Of(ushort value) => Number(MetadataType.UInt16, value);
    public static MetadataValue Of(uint value) => Number(MetadataType.UInt32, value);
    public static MetadataValue Of(int value) => Number(MetadataType.Int32, value);
    public static MetadataValue Of(ulong value) => Number(MetadataType.UInt64, value);
    public static MetadataValue Of(float value) => Number(MetadataType.Float32, value);
    public static MetadataValue Of(double value) => Number(MetadataType.Float64, value);
    public static MetadataValue Of(ReadOnlySpan<int> values) => Numbers(MetadataType.Int32, values);
    public static MetadataValue Of(ReadOnlySpan<float> values) => Numbers(MetadataType.Float32, values);

    public static MetadataValue Of(ReadOnlySpan<bool> values) => Numbers(MetadataType.Bool, values);

    public static MetadataValue Of(IReadOnlyList<string> values)
    {
        using MemoryStream bytes = new();
        Span<byte> length = stackalloc byte[8];
        foreach (string value in values)
        {
            byte[] text = Encoding.UTF8.GetBytes(value);
            BinaryPrimitives.WriteInt64LittleEndian(length, text.Length);
            bytes.Write(length);
            bytes.Write(text);
        }
        return new(MetadataType.Array, MetadataType.String, values.Count, bytes.ToArray());
    }

    /// <summary>The value as an integer; a whole number of any integer type, or a bool as 0 or 1.</summary>
    /// <exception cref="InvalidCastException">The value is no integer, or does not fit.</exception>
    public long AsInteger() => Type == ElementType ? Integer(0) : throw Wrong("an integer");

    /// <summary>The value as a number of any numeric type.</summary>
    public double AsFloat() => Type switch
    {
        MetadataType.Float32 => Element<float>(0),
        MetadataType.Float64 => Element<double>(0),
        _ => AsInteger(),
    };

    public bool AsBool() => Type == MetadataType.Bool ? Bytes.Span[0] != 0 : throw Wrong("a bool");

    /// <summary>The text; bytes that are no valid UTF-8 become U+FFFD.</summary>
    public string AsString() => Type == MetadataType.String ? Encoding.UTF8.GetString(Bytes.Span) : throw Wrong("a string");

    /// <summary>The elements of an array of strings.</summary>
    public string[] AsStrings() => AsByteStrings().Select(bytes => Encoding.UTF8.GetString(bytes.Span)).ToArray();

    /// <summary>The elements of an array of strings, as their bytes.</summary>
    public ReadOnlyMemory<byte>[] AsByteStrings()
    {
        if (Type != MetadataType.Array || ElementType != MetadataType.String) throw Wrong("an array of strings");
        ReadOnlyMemory<byte>[] strings = new ReadOnlyMemory<byte>[Count];
        ReadOnlyMemory<byte> rest = Bytes;
        for (int i = 0; i < strings.Length; i++)
        {
            int length = checked((int)BinaryPrimitives.ReadInt64LittleEndian(rest.Span)); // bounded when the file was read
            strings[i] = rest.Slice(8, length);
            rest = rest[(8 + length)..];
        }
        return strings;
    }

    /// <summary>The elements of an array of integers.</summary>
    public long[] AsIntegers()
    {
        if (Type != MetadataType.Array) throw Wrong("an array of integers");
        long[] values = new long[Count];
        for (int i = 0; i < values.Length; i++) values[i] = Integer(i);
        return values;
    }

    /// <summary>The elements of an array of numbers.</summary>
    public float[] AsFloats()
    {
        if (Type != MetadataType.Array) throw Wrong("an array of numbers");
        float[] values = new float[Count];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = ElementType switch
            {
                MetadataType.Float32 => Element<float>(i),
                MetadataType.Float64 => (float)Element<double>(i),
                _ => Integer(i),
            };
        }
        return values;
    }

    /// <summary>The elements of an array of arrays.</summary>
    public MetadataValue[] AsArrays()
    {
        if (Type != MetadataType.Array || ElementType != MetadataType.Array) throw Wrong("an array of arrays");
        MetadataValue[] arrays = new MetadataValue[Count];
        ReadOnlyMemory<byte> rest = Bytes;
        for (int i = 0; i < arrays.Length; i++)
        {
            MetadataType elementType = (MetadataType)BinaryPrimitives.ReadUInt32LittleEndian(rest.Span);
            int count = checked((int)BinaryPrimitives.ReadInt64LittleEndian(rest.Span[4..]));
            int length = ElementsLength(elementType, count, rest.Span[12..]);
            arrays[i] = new(MetadataType.Array, elementType, count, rest.Slice(12, length));
            rest = rest[(12 + length)..];
        }
        return arrays;
    }

    /// <summary>Bytes that a number or bool of this type occupies; 0 for strings and arrays, which differ in length.</summary>
    internal static int SizeOf(MetadataType type) => type switch
    {
        MetadataType.UInt8 or MetadataType.Int8 or MetadataType.Bool => 1,
        MetadataType.UInt16 or MetadataType.Int16 => 2,
        MetadataType.UInt32 or MetadataType.Int32 or MetadataType.Float32 => 4,
        MetadataType.UInt64 or MetadataType.Int64 or MetadataType.Float64 => 8,
        _ => 0,
    };

    /// <summary>Bytes of an array's elements, which start at <paramref name="bytes"/> and were checked when the file was read.</summary>
    private static int ElementsLength(MetadataType type, int count, ReadOnlySpan<byte> bytes)
    {
        if (SizeOf(type) is > 0 and int size) return count * size;
        int length = 0;
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> element = bytes[length..];
            length += type == MetadataType.String
                ? 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(element)
                : 12 + ElementsLength((MetadataType)BinaryPrimitives.ReadUInt32LittleEndian(element), (int)BinaryPrimitives.ReadInt64LittleEndian(element[4..]), element[12..]);
        }
        return length;
    }

    /// <summary>An array of numbers without the elements at some indexes.</summary>
    internal MetadataValue Without(IReadOnlySet<int> indexes)
    {
        int size = SizeOf(ElementType);
        byte[] kept = [.. Enumerable.Range(0, Count).Where(i => !indexes.Contains(i)).SelectMany(i => Bytes.Slice(i * size, size).ToArray())];
        return new(Type, ElementType, kept.Length / size, kept);
    }

    /// <summary>The value as one short line: a string in full, an array as its first elements and its length.</summary>
    public override string ToString()
    {
        if (Type != MetadataType.Array) return Scalar();
        const int Shown = 6;
        IEnumerable<string> first = ElementType switch
        {
            MetadataType.String => AsByteStrings().Take(Shown).Select(s => '"' + Encoding.UTF8.GetString(s.Span) + '"'),
            MetadataType.Array => ["…"],
            _ => Enumerable.Range(0, Math.Min(Shown, Count)).Select(Element),
        };
        return $"[{string.Join(", ", first)}{(Count > Shown ? ", …" : "")}] ({Count:N0} of {ElementType})";
    }

    private string Scalar() => Type switch
    {
        MetadataType.String => AsString(),
        MetadataType.Bool => AsBool() ? "true" : "false",
        _ => Element(0),
    };

    private string Element(int index) => ElementType switch
    {
        MetadataType.Float32 => Element<float>(index).ToString(CultureInfo.InvariantCulture),
        MetadataType.Float64 => Element<double>(index).ToString(CultureInfo.InvariantCulture),
        _ => Integer(index).ToString(CultureInfo.InvariantCulture),
    };

    private long Integer(int index) => ElementType switch
    {
        MetadataType.UInt8 or MetadataType.Bool => Element<byte>(index),
        MetadataType.Int8 => Element<sbyte>(index),
        MetadataType.UInt16 => Element<ushort>(index),
        MetadataType.Int16 => Element<short>(index),
        MetadataType.UInt32 => Element<uint>(index),
        MetadataType.Int32 => Element<int>(index),
        MetadataType.UInt64 => Element<ulong>(index) is var value and <= long.MaxValue ? (long)value : throw Wrong("a number below 2^63"),
        MetadataType.Int64 => Element<long>(index),
        _ => throw Wrong("an integer"),
    };

    private T Element<T>(int index) where T : unmanaged => MemoryMarshal.Read<T>(Bytes.Span[(index * Unsafe.SizeOf<T>())..]);

    private static MetadataValue Number<T>(MetadataType type, T value) where T : unmanaged =>
        new(type, type, 1, MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)).ToArray());

    private static MetadataValue Numbers<T>(MetadataType type, ReadOnlySpan<T> values) where T : unmanaged =>
        new(MetadataType.Array, type, values.Length, MemoryMarshal.AsBytes(values).ToArray());

    private InvalidCastException Wrong(string wanted) =>
        new($"is {(Type == MetadataType.Array ? $"an array of {ElementType}" : Type)}, not {wanted}");
}
