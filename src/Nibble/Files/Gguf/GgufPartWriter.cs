using System.Buffers.Binary;
using System.Text;

namespace Nibble.Files.Gguf;

/// <summary>Writes one GGUF v3 file front to back.</summary>
internal sealed class GgufPartWriter : IDisposable
{
    private const uint Version = 3;

    private readonly GgufOutput _output;
    private readonly TensorStream _tensors;

    /// <summary>Checks the target, reserves its whole size and writes the header.</summary>
    public GgufPartWriter(GgufOutput output, bool isResumable)
    {
        _output = output;
        _tensors = new(output.Tensors);
        File = new(output.Path, output.Bytes, isResumable);
        try
        {
            WriteHeader();
            Pad(output.HeaderBytes);
        }
        catch
        {
            File.Dispose();
            throw;
        }
    }

    public AtomicFile File { get; }

    /// <summary>Bytes written so far, header and padding included.</summary>
    public long WrittenBytes { get; private set; }

    /// <inheritdoc cref="TensorStream.Current"/>
    public TensorInfo? Current => _tensors.Current;

    public void RequireComplete() => _tensors.RequireComplete();

    /// <summary>Writes the next bytes of the current tensor; with its last byte the next tensor becomes the current one.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        TensorInfo? completed = _tensors.Count(bytes.Length);
        Put(bytes);
        if (completed is not null) Pad(completed.Bytes);
    }

    /// <summary>Leaves the current tensor, which an earlier run wrote, as it is.</summary>
    public void Skip()
    {
        long bytes = _tensors.Skip().Bytes;
        File.Skip(bytes);
        WrittenBytes += bytes;
        Pad(bytes); // what lies behind the tensor, nobody has checked
    }

    public void Dispose() => File.Dispose();

    private void WriteHeader()
    {
        PutUInt32(GgufPart.Magic);
        PutUInt32(Version);
        PutInt64(_output.Tensors.Count);
        PutInt64(_output.Metadata.Count);
        foreach ((string key, MetadataValue value) in _output.Metadata)
        {
            PutString(key);
            PutUInt32((uint)value.Type);
            if (value.Type == MetadataType.Array) PutUInt32((uint)value.ElementType);
            if (value.Type == MetadataType.Array) PutInt64(value.Count);
            if (value.Type == MetadataType.String) PutInt64(value.Bytes.Length);
            Put(value.Bytes.Span);
        }
        long offset = 0;
        foreach (TensorInfo tensor in _output.Tensors)
        {
            PutString(tensor.Name);
            PutUInt32((uint)tensor.Dimensions.Count);
            foreach (long size in tensor.Dimensions) PutInt64(size);
            PutUInt32(_output.TypeOf(tensor).Type);
            PutInt64(offset);
            offset += GgufLayout.Align(tensor.Bytes, _output.Alignment);
        }
    }

    private void Pad(long written)
    {
        long zeros = GgufLayout.Align(written, _output.Alignment) - written;
        File.WriteZeros(zeros);
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
        File.Write(bytes);
        WrittenBytes += bytes.Length;
    }
}
