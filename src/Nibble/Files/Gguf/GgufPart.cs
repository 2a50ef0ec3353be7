using Nibble.Formats;
using Nibble.Memory;

namespace Nibble.Files.Gguf;

/// <summary>
/// One GGUF file, mapped, with its header checked from end to end. Layout, little-endian:
/// <c>"GGUF" version:u32 tensors:u64 pairs:u64 (key:string type:u32 value)* (name:string dimensions:u32 size:u64* type:u32 offset:u64)*</c>,
/// zeros up to a multiple of the alignment, then the tensors' data at <c>offset</c> bytes from there.
/// Specification: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
/// </summary>
internal sealed class GgufPart : IDisposable
{
    public const uint Magic = 0x46554747; // "GGUF"
    private const uint SwappedMagic = 0x47475546;

    /// <summary>llama.cpp keeps a tensor's name in 64 bytes, one of which ends it.</summary>
    public const int LongestTensorName = 63;
    public const int MostDimensions = 4;
    private const int LongestKey = 65535;

    private readonly MappedFile _file;
    private readonly List<TensorInfo> _tensors = [];
    private readonly List<long> _starts = [];

    /// <exception cref="NibbleException">The file cannot be read or is no valid GGUF file.</exception>
    public GgufPart(string path)
    {
        _file = new(path);
        try
        {
            Metadata = new(path);
            GgufCursor cursor = new(path, _file.Region);
            (long tensors, long pairs) = ReadStart(ref cursor);
            ReadMetadata(ref cursor, pairs);
            Alignment = ReadAlignment(Metadata);
            for (long i = 0; i < tensors; i++) ReadTensor(ref cursor, i);
            PlaceTensors(GgufLayout.Align(cursor.Position, Alignment));
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    public string Path => _file.Path;

    public uint Version { get; private set; }

    public Metadata Metadata { get; }

    public int Alignment { get; }

    public IReadOnlyList<TensorInfo> Tensors => _tensors;

    /// <summary>The bytes of the tensor with this index.</summary>
    public MemoryRegion Data(int index) => _file.Region.Slice(_starts[index], _tensors[index].Bytes);

    public void Dispose() => _file.Dispose();

    private (long Tensors, long Pairs) ReadStart(ref GgufCursor cursor)
    {
        if (_file.Length == 0) Throw.BadFile(Path, "the file is empty; download it again");
        uint magic = cursor.Read<uint>();
        if (magic == SwappedMagic) BigEndian();
        if (magic != Magic) Throw.BadFile(Path, FileKind.Describe(_file.Region.AsSpan<byte>(0, (int)Math.Min(_file.Length, FileKind.BytesNeeded))) ?? "is no GGUF file: it does not start with the letters GGUF");
        Version = cursor.Read<uint>();
        if ((Version & 0xffff) == 0 && Version != 0) BigEndian();
        if (Version == 1) Throw.BadFile(Path, "is GGUF version 1, which is no longer in use; download a current file of this model or convert it again");
        if (Version is not (2 or 3)) Throw.BadFile(Path, $"is GGUF version {Version}; versions 2 and 3 can be read");
        // A tensor takes at least 33 bytes (a name of one byte, one dimension), a pair 14 (a key and a value of one byte each).
        long tensors = cursor.ReadCount(33, "tensors");
        return (tensors, cursor.ReadCount(14, "metadata keys"));
    }

    private void BigEndian() => Throw.BadFile(Path, "is a big-endian GGUF file; download or convert the little-endian form of this model");

    private void ReadMetadata(ref GgufCursor cursor, long pairs)
    {
        for (long i = 0; i < pairs; i++)
        {
            cursor.Subject = $"metadata key {i + 1:N0} of {pairs:N0}";
            string key = cursor.ReadName(LongestKey);
            cursor.Subject = $"metadata key {Quoted.Of(key)}";
            if (Metadata.Contains(key)) Damaged($"metadata key {Quoted.Of(key)} appears twice");
            Metadata[key] = cursor.ReadValue();
        }
    }

    /// <summary>The alignment that metadata asks for; 32 where it says nothing.</summary>
    internal static int ReadAlignment(Metadata metadata)
    {
        long alignment = metadata.Integer(GgufLayout.AlignmentKey) ?? GgufLayout.DefaultAlignment;
        if (alignment is < 8 or > 1 << 30 || !long.IsPow2(alignment))
            Throw.BadFile(metadata.Source, $"{GgufLayout.AlignmentKey} is {alignment}; it must be a power of two from 8 to 2^30");
        return (int)alignment;
    }

    private void ReadTensor(ref GgufCursor cursor, long index)
    {
        cursor.Subject = $"tensor {index + 1:N0}";
        string name = cursor.ReadName(LongestTensorName);
        string tensor = cursor.Subject = $"tensor {Quoted.Of(name)}";
        uint dimensionCount = cursor.Read<uint>();
        if (dimensionCount > MostDimensions) Damaged($"{tensor} has {dimensionCount:N0} dimensions; at most {MostDimensions} are possible");
        long[] dimensions = dimensionCount == 0 ? [1] : new long[dimensionCount]; // no dimension: a single value
        long count = 1;
        for (int d = 0; d < dimensionCount; d++)
        {
            ulong size = cursor.Read<ulong>();
            if (size == 0) Damaged($"{tensor} has a dimension of size zero");
            // A value takes at least one bit, so a larger product is impossible whatever the type.
            if (size > long.MaxValue / 8 || (long)size > long.MaxValue / 8 / count) Damaged($"{tensor} has more than 2^60 values");
            dimensions[d] = (long)size;
            count *= (long)size;
        }
        uint type = cursor.Read<uint>();
        if (!GgufTypes.TryGet(type, out string typeName, out WeightFormat? format, out int blockSize, out int blockBytes))
            Throw.BadFile(Path, $"{tensor} has type {GgufTypes.Describe(type)}, which cannot be read; known types: {GgufTypes.Known}");
        if (dimensions[0] % blockSize != 0) Damaged($"{tensor} has rows of {dimensions[0]:N0} values, no multiple of the {blockSize} in a block of {typeName}");
        long blocks = count / blockSize;
        int tailBytes = format?.TailBytes ?? 0;
        if (blocks > (long.MaxValue - tailBytes) / blockBytes) Damaged($"{tensor} has more than 2^63 bytes");
        ulong offset = cursor.Read<ulong>();
        if (offset > long.MaxValue / 2 || (long)offset % Alignment != 0) Damaged($"{tensor} is at offset {offset:N0}, no multiple of the alignment of {Alignment}");
        _tensors.Add(new(name, dimensions, typeName, format, blocks * blockBytes + tailBytes));
        _starts.Add((long)offset);
    }

    /// <summary>Turns offsets within the data into positions in the file, and checks that the tensors follow each other inside it.</summary>
    private void PlaceTensors(long dataStart)
    {
        HashSet<string> names = new(StringComparer.Ordinal);
        long end = dataStart;
        for (int i = 0; i < _tensors.Count; i++)
        {
            TensorInfo tensor = _tensors[i];
            if (!names.Add(tensor.Name)) Damaged($"tensor {Quoted.Of(tensor.Name)} appears twice");
            long start = _starts[i] + dataStart;
            if (start < end) Damaged($"the data of tensor {Quoted.Of(tensor.Name)} overlaps that of the tensor before it");
            if (tensor.Bytes > _file.Length - start)
                Throw.BadFile(Path, $"the file is truncated: tensor {Quoted.Of(tensor.Name)} needs {tensor.Bytes:N0} bytes from byte {start:N0} on, the file has {_file.Length:N0}; download it again");
            if (I2_STensors.Is(tensor)) CheckNotRetired(tensor, (i + 1 < _tensors.Count ? _starts[i + 1] + dataStart : _file.Length) - start);
            _starts[i] = start;
            end = start + tensor.Bytes;
        }
    }

    /// <summary>The number of I2_S is that of a type which llama.cpp had for some months, with 18 bytes for 32 weights.</summary>
    private void CheckNotRetired(TensorInfo tensor, long room)
    {
        if (GgufLayout.Align(room, Alignment) == GgufLayout.Align(tensor.Count / 32 * 18, Alignment) && tensor.Count > 256)
            Throw.BadFile(Path, $"tensor {Quoted.Of(tensor.Name)} has type 36, which was IQ4_NL_4_4 in llama.cpp for some months of 2024 and is I2_S in bitnet.cpp; by its size it is the former, which cannot be read: get a current file of this model");
    }

    private void Damaged(string problem) => Throw.BadFile(Path, $"{problem}; the file is damaged, download it again");
}
