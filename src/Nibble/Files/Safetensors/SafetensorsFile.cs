using System.Buffers.Binary;
using Nibble.Memory;

namespace Nibble.Files.Safetensors;

/// <summary>
/// A safetensors file, mapped into memory: <c>length:u64 header:json data</c>. Tensors and metadata have the names that the file
/// gives them; <see cref="HuggingFace.HuggingFaceFolder"/> shows a whole model under GGUF's names.
/// </summary>
public sealed class SafetensorsFile : ModelFile
{
    /// <summary>The limit of the reference implementation.</summary>
    private const int LongestHeader = 100_000_000;

    private readonly MappedFile _file;
    private readonly long _dataStart;
    private readonly List<TensorInfo> _tensors;
    private readonly Dictionary<string, long> _starts = new(StringComparer.Ordinal);

    private SafetensorsFile(MappedFile file)
    {
        _file = file;
        if (file.Length < 8) Throw.BadFile(Path, $"{(file.Length == 0 ? "the file is empty" : "the file is truncated")}; download it again");
        ReadOnlySpan<byte> start = file.Region.AsSpan<byte>(0, (int)Math.Min(file.Length, FileKind.BytesNeeded));
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(start);
        if (length > (ulong)file.Length - 8 || length > LongestHeader)
        {
            Throw.BadFile(Path, FileKind.Describe(start)
                ?? $"the file is truncated or no safetensors file: it states a header of {length:N0} bytes, {file.Length - 8:N0} follow and {LongestHeader:N0} are allowed; download it again");
        }
        SafetensorsHeader header = new(Path, file.Region.AsSpan<byte>(8, (int)length), file.Length - 8 - (long)length);
        _dataStart = 8 + (long)length;
        Metadata = header.Metadata;
        _tensors = [.. header.Tensors.Select(t => t.Tensor)];
        foreach ((TensorInfo tensor, long offset) in header.Tensors) _starts.Add(tensor.Name, offset);
    }

    /// <summary>Opens a safetensors file and checks its header.</summary>
    /// <exception cref="NibbleException">The file cannot be read, or is no safetensors file, or is damaged.</exception>
    public static SafetensorsFile Open(string path)
    {
        MappedFile file = new(path);
        try
        {
            return new(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public override string Path => _file.Path;

    public override IReadOnlyList<string> Files => [Path];

    public override string Container => "safetensors";

    /// <summary>The texts under <c>__metadata__</c>.</summary>
    public override Metadata Metadata { get; }

    public override IReadOnlyList<TensorInfo> Tensors => _tensors;

    public override MemoryRegion Read(TensorInfo tensor, long firstRow, long rows)
    {
        if (!_starts.TryGetValue(tensor.Name, out long start)) throw new ArgumentException($"{Path} has no tensor {tensor.Name}", nameof(tensor));
        return _file.Region.Slice(_dataStart + start, tensor.Bytes).Slice(checked(firstRow * tensor.RowBytes), checked(rows * tensor.RowBytes));
    }

    public override void Dispose() => _file.Dispose();
}
