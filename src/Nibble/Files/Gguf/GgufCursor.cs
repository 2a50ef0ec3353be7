using System.Runtime.CompilerServices;
using System.Text;
using Nibble.Memory;

namespace Nibble.Files.Gguf;

/// <summary>Reads a file front to back; every length is checked against the bytes that remain before it is used.</summary>
internal struct GgufCursor(string path, MemoryRegion region)
{
    private const int DeepestArray = 8;
    private static readonly UTF8Encoding s_strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Bytes read so far.</summary>
    public long Position { get; private set; }

    public readonly long Remaining => region.Length - Position;

    /// <summary>What is being read, for error messages.</summary>
    public string Subject { get; set; } = "the header";

    /// <summary>The next number, little-endian.</summary>
    public T Read<T>() where T : unmanaged
    {
        Need(Unsafe.SizeOf<T>());
        T value = Unsafe.ReadUnaligned<T>(in region.Slice(Position, Unsafe.SizeOf<T>()).AsSpan<byte>()[0]);
        Position += Unsafe.SizeOf<T>();
        return value;
    }

    /// <summary>A number of items that follow, each of at least <paramref name="smallest"/> bytes.</summary>
    public long ReadCount(int smallest, string items)
    {
        ulong count = Read<ulong>();
        if (count > (ulong)(Remaining / smallest))
            Throw.BadFile(path, $"{Subject} has {count:N0} {items}, more than the {Remaining:N0} bytes that follow can hold; the file is damaged, download it again");
        return (long)count;
    }

    /// <summary>A string that names something: not empty, valid UTF-8, at most <paramref name="longest"/> bytes.</summary>
    public string ReadName(int longest)
    {
        ReadOnlySpan<byte> bytes = ReadBytes(longest).AsSpan<byte>();
        if (bytes.IsEmpty) Throw.BadFile(path, $"the name of {Subject} is empty; the file is damaged, download it again");
        try
        {
            return s_strict.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            return Throw.BadFile<string>(path, $"the name of {Subject}, {Quoted.Of(bytes)}, is not valid UTF-8; the file is damaged, download it again");
        }
    }

    /// <summary>A metadata value of the type that its first four bytes say.</summary>
    public MetadataValue ReadValue()
    {
        MetadataType type = ReadType();
        if (type == MetadataType.String) return new(type, type, 1, ReadBytes(Array.MaxLength).AsSpan<byte>().ToArray());
        if (type != MetadataType.Array) return new(type, type, 1, Take(SmallestSize(type)));

        (MetadataType elementType, long count) = ReadArrayStart();
        long start = Position;
        SkipElements(elementType, count, depth: 1);
        long length = Position - start;
        if (length > Array.MaxLength) Throw.BadFile(path, $"{Subject} holds {length:N0} bytes; at most 2 GB are supported");
        Position = start;
        return new(type, elementType, (int)count, Take(length)); // no element is shorter than a byte, so the count fits
    }

    private void SkipElements(MetadataType type, long count, int depth)
    {
        switch (type)
        {
            case MetadataType.String:
                for (long i = 0; i < count; i++) ReadBytes(Array.MaxLength);
                break;
            case MetadataType.Array:
                if (depth == DeepestArray) Throw.BadFile(path, $"{Subject} nests arrays more than {DeepestArray} deep; the file is damaged, download it again");
                for (long i = 0; i < count; i++)
                {
                    (MetadataType inner, long innerCount) = ReadArrayStart();
                    SkipElements(inner, innerCount, depth + 1);
                }
                break;
            default:
                Position += count * SmallestSize(type); // within the file: the count was checked against this size
                break;
        }
    }

    private (MetadataType Type, long Count) ReadArrayStart()
    {
        MetadataType type = ReadType();
        return (type, ReadCount(SmallestSize(type), "elements"));
    }

    private MetadataType ReadType()
    {
        uint type = Read<uint>();
        if (type > (uint)MetadataType.Float64)
            Throw.BadFile(path, $"{Subject} has type {type}; GGUF knows 0 to 12; the file is damaged or newer than this program");
        return (MetadataType)type;
    }

    /// <summary>Bytes that a value of this type occupies at least: its size, or what comes before its content.</summary>
    private static int SmallestSize(MetadataType type) => type switch
    {
        MetadataType.String => 8, // its length
        MetadataType.Array => 4 + 8, // element type, length
        _ => MetadataValue.SizeOf(type),
    };

    private MemoryRegion ReadBytes(int longest)
    {
        ulong length = Read<ulong>();
        if (length > (ulong)Remaining)
            Throw.BadFile(path, $"{Subject} has a string of {length:N0} bytes, but only {Remaining:N0} follow; the file is damaged, download it again");
        if (length > (ulong)longest)
            Throw.BadFile(path, $"{Subject} has a string of {length:N0} bytes; at most {longest:N0} are allowed");
        MemoryRegion bytes = region.Slice(Position, (long)length);
        Position += (long)length;
        return bytes;
    }

    private byte[] Take(long length)
    {
        Need(length);
        byte[] bytes = region.Slice(Position, length).AsSpan<byte>().ToArray();
        Position += length;
        return bytes;
    }

    private readonly void Need(long bytes)
    {
        if (bytes > Remaining) Throw.BadFile(path, $"the file is truncated: it ends within {Subject} (at byte {region.Length:N0}); download it again");
    }
}
