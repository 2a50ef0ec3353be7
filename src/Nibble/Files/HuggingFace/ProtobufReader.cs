using System.Buffers.Binary;
using System.Text;

namespace Nibble.Files.HuggingFace;

/// <summary>
/// Reads the fields of one protocol-buffer message: a tag (field number times 8 plus wire type) before each value.
/// See https://protobuf.dev/programming-guides/encoding.
/// </summary>
/// <param name="message">The bytes of the message.</param>
/// <param name="path">The file, for error messages.</param>
internal ref struct ProtobufReader(ReadOnlySpan<byte> message, string path)
{
    private const int VarintType = 0;
    private const int Fixed64Type = 1;
    private const int BytesType = 2;
    private const int Fixed32Type = 5;

    private readonly string _path = path;
    private ReadOnlySpan<byte> _rest = message;
    private ReadOnlySpan<byte> _bytes;
    private ulong _number;
    private int _type;

    /// <summary>The number of the field read last.</summary>
    public int Field { get; private set; }

    /// <summary>Reads the next field; false at the end.</summary>
    public bool Next()
    {
        if (_rest.IsEmpty) return false;
        ulong tag = Varint();
        if (tag >> 3 is 0 or > int.MaxValue) Damaged();
        Field = (int)(tag >> 3);
        _type = (int)(tag & 7);
        switch (_type)
        {
            case VarintType: _number = Varint(); break;
            case Fixed64Type: _number = BinaryPrimitives.ReadUInt64LittleEndian(Take(8)); break;
            case BytesType: _bytes = Take(Varint()); break;
            case Fixed32Type: _number = BinaryPrimitives.ReadUInt32LittleEndian(Take(4)); break;
            default: Damaged(); break;
        }
        return true;
    }

    /// <summary>The field as a whole number; negative ones are stored as 64 bits.</summary>
    public readonly int Integer()
    {
        if (_type != VarintType || (long)_number is < int.MinValue or > int.MaxValue) Damaged();
        return (int)(long)_number;
    }

    public readonly bool Bool()
    {
        if (_type != VarintType) Damaged();
        return _number != 0;
    }

    public readonly float Float()
    {
        if (_type != Fixed32Type) Damaged();
        return BitConverter.UInt32BitsToSingle((uint)_number);
    }

    public readonly string Text() => Encoding.UTF8.GetString(Bytes());

    public readonly ProtobufReader Message() => new(Bytes(), _path);

    private readonly ReadOnlySpan<byte> Bytes()
    {
        if (_type != BytesType) Damaged();
        return _bytes;
    }

    private ulong Varint()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            byte part = Take(1)[0];
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80) return value;
        }
        Damaged();
        return 0;
    }

    private ReadOnlySpan<byte> Take(ulong count)
    {
        if (count > (ulong)_rest.Length) Damaged();
        ReadOnlySpan<byte> taken = _rest[..(int)count];
        _rest = _rest[(int)count..];
        return taken;
    }

    private readonly void Damaged() => Throw.BadFile(_path, "is no SentencePiece model, or a damaged one; download it again");
}
