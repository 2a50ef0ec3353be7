using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json;

namespace Nibble.Files.Safetensors;

/// <summary>
/// Writes a safetensors file front to back. The target appears when <see cref="Commit"/> ends; disposing without it leaves nothing.
/// </summary>
public sealed class SafetensorsWriter : IDisposable
{
    /// <summary>The header is padded with spaces so that the data starts at a multiple of this.</summary>
    private const int Alignment = 8;

    private readonly AtomicFile _file;
    private readonly TensorStream _tensors;

    private SafetensorsWriter(string path, byte[] header, IReadOnlyList<TensorInfo> tensors)
    {
        TotalBytes = 8 + header.Length;
        foreach (TensorInfo tensor in tensors) TotalBytes = checked(TotalBytes + tensor.Bytes);
        _tensors = new(tensors);
        _file = new(path, TotalBytes);
        try
        {
            Span<byte> length = stackalloc byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
            Put(length);
            Put(header);
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    /// <summary>Bytes of the complete file.</summary>
    public long TotalBytes { get; }

    /// <summary>Bytes written so far, the header included.</summary>
    public long WrittenBytes { get; private set; }

    /// <summary>The tensor that the next bytes belong to; <see langword="null"/> when all are written.</summary>
    public TensorInfo? Current => _tensors.Current;

    /// <summary>Starts a file: checks the target, reserves its whole size and writes the header.</summary>
    /// <param name="path">The file to make; an existing one is replaced by <see cref="Commit"/>.</param>
    /// <param name="metadata">Texts for <c>__metadata__</c>.</param>
    /// <param name="tensors">What will be written, in order; types as safetensors names them. Put the widest types first, so that all are aligned.</param>
    /// <exception cref="NibbleException">The file cannot be made there, the disk has no room, or safetensors cannot hold a tensor.</exception>
    public static SafetensorsWriter Create(string path, IReadOnlyDictionary<string, string> metadata, IReadOnlyList<TensorInfo> tensors)
    {
        HashSet<string> names = new(StringComparer.Ordinal);
        foreach (TensorInfo tensor in tensors)
        {
            string name = Quoted.Of(tensor.Name);
            if (tensor.Name is "" or SafetensorsHeader.MetadataKey) Throw.BadFile(path, $"cannot hold a tensor called {name}");
            if (!names.Add(tensor.Name)) Throw.BadFile(path, $"cannot hold two tensors called {name}");
            int bits = SafetensorsTypes.BitsOf(tensor.TypeName);
            if (bits == 0) Throw.BadFile(path, $"tensor {name} cannot be written: safetensors has no type {Quoted.Of(tensor.TypeName)}; known types: {SafetensorsTypes.Known}");
            if (checked(tensor.Count * bits) != checked(tensor.Bytes * 8))
                throw new ArgumentException($"{tensor.Count} values of type {tensor.TypeName} do not have {tensor.Bytes} bytes", nameof(tensors));
        }
        return new(path, Header(metadata, tensors), tensors);
    }

    /// <summary>Writes the next bytes of the current tensor; with its last byte the next tensor becomes the current one.</summary>
    /// <exception cref="NibbleException">The disk is full or fails.</exception>
    /// <exception cref="InvalidOperationException">More bytes than the current tensor still lacks.</exception>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty) return;
        _tensors.Count(bytes.Length);
        Put(bytes);
    }

    /// <summary>Gives the complete file its name.</summary>
    /// <exception cref="NibbleException">The disk is full or fails, or the target cannot be replaced.</exception>
    public void Commit()
    {
        _tensors.RequireComplete();
        _file.Commit();
    }

    public void Dispose() => _file.Dispose();

    private static byte[] Header(IReadOnlyDictionary<string, string> metadata, IReadOnlyList<TensorInfo> tensors)
    {
        ArrayBufferWriter<byte> header = new();
        using (Utf8JsonWriter json = new(header))
        {
            json.WriteStartObject();
            if (metadata.Count > 0)
            {
                json.WriteStartObject(SafetensorsHeader.MetadataKey);
                foreach ((string key, string value) in metadata) json.WriteString(key, value);
                json.WriteEndObject();
            }
            long start = 0;
            foreach (TensorInfo tensor in tensors)
            {
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", tensor.TypeName);
                json.WriteStartArray("shape");
                foreach (long size in tensor.Dimensions.Reverse()) json.WriteNumberValue(size);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(start);
                json.WriteNumberValue(start += tensor.Bytes);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        int padding = -header.WrittenCount & (Alignment - 1);
        header.GetSpan(padding)[..padding].Fill((byte)' ');
        header.Advance(padding);
        return header.WrittenSpan.ToArray();
    }

    private void Put(ReadOnlySpan<byte> bytes)
    {
        _file.Write(bytes);
        WrittenBytes += bytes.Length;
    }
}
