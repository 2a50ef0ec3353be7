using System.Buffers.Binary;
using System.Text;

namespace Nibble.Files.Gguf;

/// <summary>
/// Writes a GGUF v3 file front to back. The target appears when <see cref="Commit"/> ends; disposing without it leaves nothing.
/// The target may be the very file that the tensors are read from: it is replaced in one step at the end.
/// <code>
/// using GgufWriter writer = GgufWriter.Create(path, metadata, tensors);
/// foreach (TensorInfo tensor in tensors) writer.Write(BytesOf(tensor));
/// writer.Commit();
/// </code>
/// </summary>
public sealed class GgufWriter : IDisposable
{
    private const uint Version = 3;

    private readonly AtomicFile _file;
    private readonly TensorStream _tensors;
    private readonly int _alignment;

    private GgufWriter(string path, Metadata metadata, IReadOnlyList<TensorInfo> tensors)
    {
        KeyValuePair<string, MetadataValue>[] pairs = Written(metadata);
        _tensors = new(tensors);
        _alignment = GgufPart.ReadAlignment(metadata);
        long headerBytes = HeaderBytes(pairs, tensors);
        TotalBytes = SizeOf(metadata, tensors);

        _file = new(path, TotalBytes);
        try
        {
            WriteHeader(pairs, tensors);
            Pad(headerBytes);
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    /// <summary>Bytes of the file that would hold this.</summary>
    public static long SizeOf(Metadata metadata, IReadOnlyList<TensorInfo> tensors)
    {
        int alignment = GgufPart.ReadAlignment(metadata);
        long bytes = GgufLayout.Align(HeaderBytes(Written(metadata), tensors), alignment);
        foreach (TensorInfo tensor in tensors) bytes = checked(bytes + GgufLayout.Align(tensor.Bytes, alignment));
        return bytes;
    }

    /// <summary>Bytes of the complete file.</summary>
    public long TotalBytes { get; }

    /// <summary>Bytes written so far, header and padding included.</summary>
    public long WrittenBytes { get; private set; }

    /// <summary>The tensor that the next bytes belong to; <see langword="null"/> when all are written.</summary>
    public TensorInfo? Current => _tensors.Current;

    /// <summary>Starts a file: checks the target, reserves its whole size and writes the header.</summary>
    /// <param name="path">The file to make; an existing one is replaced by <see cref="Commit"/>.</param>
    /// <param name="metadata">All of it is written, but for keys that start with <c>split.</c>.</param>
    /// <param name="tensors">What will be written, in order, each with the format that it has in the new file.</param>
    /// <exception cref="NibbleException">The file cannot be made there, the disk has no room, or GGUF cannot hold a tensor.</exception>
    public static GgufWriter Create(string path, Metadata metadata, IReadOnlyList<TensorInfo> tensors)
    {
        HashSet<string> names = new(StringComparer.Ordinal);
        foreach (TensorInfo tensor in tensors)
        {
            string name = Quoted.Of(tensor.Name);
            if (Encoding.UTF8.GetByteCount(tensor.Name) is 0 or > GgufPart.LongestTensorName)
                Throw.BadFile(path, $"tensor {name} cannot be written: a GGUF file names a tensor with 1 to {GgufPart.LongestTensorName} bytes");
            if (tensor.Dimensions.Count is 0 or > GgufPart.MostDimensions)
                Throw.BadFile(path, $"tensor {name} cannot be written: a GGUF tensor has 1 to {GgufPart.MostDimensions} dimensions, this one has {tensor.Dimensions.Count}");
            if (tensor.Count == 0) Throw.BadFile(path, $"tensor {name} cannot be written: it has a dimension of size zero");
            if (!names.Add(tensor.Name)) Throw.BadFile(path, $"cannot hold two tensors called {name}");
            (_, int blockSize, int blockBytes) = TypeOf(path, tensor);
            if (tensor.Columns % blockSize != 0)
                Throw.BadFile(path, $"tensor {name} cannot be stored as {tensor.TypeName}: its rows of {tensor.Columns} values are no multiple of {blockSize}");
            if (tensor.Bytes != tensor.Count / blockSize * blockBytes + (tensor.Format?.TailBytes ?? 0))
                throw new ArgumentException($"{tensor.Count} values of type {tensor.TypeName} do not have {tensor.Bytes} bytes", nameof(tensors));
        }
        return new(path, metadata, tensors);
    }

    /// <summary>Writes the next bytes of the current tensor; with its last byte the next tensor becomes the current one.</summary>
    /// <exception cref="NibbleException">The disk is full or fails.</exception>
    /// <exception cref="InvalidOperationException">More bytes than the current tensor still lacks.</exception>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty) return;
        TensorInfo? completed = _tensors.Count(bytes.Length);
        Put(bytes);
        if (completed is not null) Pad(completed.Bytes);
    }

    /// <summary>Gives the complete file its name.</summary>
    /// <exception cref="NibbleException">The disk is full or fails, or the target cannot be replaced.</exception>
    public void Commit()
    {
        _tensors.RequireComplete();
        _file.Commit();
    }

    public void Dispose() => _file.Dispose();

    /// <summary>The metadata that goes into the file: it holds the whole model, even where that comes from a split one.</summary>
    private static KeyValuePair<string, MetadataValue>[] Written(Metadata metadata) =>
        [.. metadata.Where(pair => !pair.Key.StartsWith("split.", StringComparison.Ordinal))];

    private static long HeaderBytes(KeyValuePair<string, MetadataValue>[] pairs, IReadOnlyList<TensorInfo> tensors)
    {
        long bytes = 4 + 4 + 8 + 8;
        foreach ((string key, MetadataValue value) in pairs) bytes += 8 + Encoding.UTF8.GetByteCount(key) + 4 + StoredBytes(value);
        foreach (TensorInfo tensor in tensors) bytes += 8 + Encoding.UTF8.GetByteCount(tensor.Name) + 4 + 8 * tensor.Dimensions.Count + 4 + 8;
        return bytes;
    }

    private void WriteHeader(KeyValuePair<string, MetadataValue>[] pairs, IReadOnlyList<TensorInfo> tensors)
    {
        PutUInt32(GgufPart.Magic);
        PutUInt32(Version);
        PutInt64(tensors.Count);
        PutInt64(pairs.Length);
        foreach ((string key, MetadataValue value) in pairs)
        {
            PutString(key);
            PutUInt32((uint)value.Type);
            if (value.Type == MetadataType.Array) PutUInt32((uint)value.ElementType);
            if (value.Type == MetadataType.Array) PutInt64(value.Count);
            if (value.Type == MetadataType.String) PutInt64(value.Bytes.Length);
            Put(value.Bytes.Span);
        }
        long offset = 0;
        foreach (TensorInfo tensor in tensors)
        {
            PutString(tensor.Name);
            PutUInt32((uint)tensor.Dimensions.Count);
            foreach (long size in tensor.Dimensions) PutInt64(size);
            PutUInt32(TypeOf(_file.Path, tensor).Type);
            PutInt64(offset);
            offset += GgufLayout.Align(tensor.Bytes, _alignment);
        }
    }

    private static long StoredBytes(MetadataValue value) => value.Bytes.Length + value.Type switch
    {
        MetadataType.Array => 4 + 8, // element type, length
        MetadataType.String => 8,
        _ => 0,
    };

    private static (uint Type, int BlockSize, int BlockBytes) TypeOf(string path, TensorInfo tensor)
    {
        if (tensor.Format is { } format) return ((uint)format.GgufType, format.BlockSize, format.BlockBytes);
        if (GgufTypes.TryNumber(tensor.TypeName, out uint type, out int bytes)) return (type, 1, bytes);
        return Throw.BadFile<(uint, int, int)>(path, $"tensor {Quoted.Of(tensor.Name)} cannot be written: GGUF has no type {Quoted.Of(tensor.TypeName)}");
    }

    private void Pad(long written)
    {
        long zeros = GgufLayout.Align(written, _alignment) - written;
        _file.WriteZeros(zeros);
        WrittenBytes += zeros;
    }

    private void PutString(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        PutInt64(bytes.Length);
        Put(bytes);
    }

    private void PutUInt32(uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        Put(bytes);
    }

    private void PutInt64(long value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        Put(bytes);
    }

    private void Put(ReadOnlySpan<byte> bytes)
    {
        _file.Write(bytes);
        WrittenBytes += bytes.Length;
    }
}
