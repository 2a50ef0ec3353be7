using Nibble.Memory;

namespace Nibble.Files.Gguf;

/// <summary>A model in GGUF, version 2 or 3, little-endian; mapped into memory, so that opening reads the header alone.</summary>
public sealed class GgufFile : ModelFile
{
    private readonly GgufPart _part;
    private readonly Dictionary<string, int> _indexes;

    private GgufFile(GgufPart part)
    {
        _part = part;
        _indexes = new(StringComparer.Ordinal);
        for (int i = 0; i < part.Tensors.Count; i++) _indexes.Add(part.Tensors[i].Name, i);
    }

    /// <summary>Opens a GGUF file and checks its header.</summary>
    /// <exception cref="NibbleException">The file cannot be read, or is no GGUF file, or is damaged.</exception>
    public static GgufFile Open(string path) => new(new GgufPart(path));

    public override string Path => _part.Path;

    public override string Container => $"GGUF v{_part.Version}";

    public override Metadata Metadata => _part.Metadata;

    public override IReadOnlyList<TensorInfo> Tensors => _part.Tensors;

    public override MemoryRegion Read(TensorInfo tensor, long firstRow, long rows)
    {
        if (!_indexes.TryGetValue(tensor.Name, out int index)) throw new ArgumentException($"{Path} has no tensor {tensor.Name}", nameof(tensor));
        long rowBytes = _part.Tensors[index].RowBytes;
        return _part.Data(index).Slice(checked(firstRow * rowBytes), checked(rows * rowBytes));
    }

    public override void Dispose() => _part.Dispose();
}
