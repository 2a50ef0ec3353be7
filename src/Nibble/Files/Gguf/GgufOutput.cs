using System.Text;

namespace Nibble.Files.Gguf;

/// <summary>A GGUF file that is to be written: all that its header says, so that its size is known before its first byte.</summary>
/// <param name="Path">The file.</param>
/// <param name="Metadata">Its metadata, all of which is written.</param>
/// <param name="Tensors">Its tensors, in order, each with the format that it has in this file.</param>
public sealed record GgufOutput(string Path, Metadata Metadata, IReadOnlyList<TensorInfo> Tensors)
{
    /// <summary>Bytes of the complete file.</summary>
    public long Bytes => checked(DataStart + Tensors.Sum(tensor => GgufLayout.Align(tensor.Bytes, Alignment)));

    internal int Alignment => GgufPart.ReadAlignment(Metadata);

    /// <summary>Where the data of the first tensor begins.</summary>
    internal long DataStart => GgufLayout.Align(HeaderBytes, Alignment);

    /// <summary>Bytes of the header, without the zeros behind it.</summary>
    internal long HeaderBytes
    {
        get
        {
            long bytes = 4 + 4 + 8 + 8;
            foreach ((string key, MetadataValue value) in Metadata) bytes += 8 + Encoding.UTF8.GetByteCount(key) + 4 + StoredBytes(value);
            foreach (TensorInfo tensor in Tensors) bytes += HeaderBytesOf(tensor);
            return bytes;
        }
    }

    /// <summary>Bytes of a file like this with one tensor more, where its header and data have so many so far.</summary>
    internal long BytesWith(long header, long data, TensorInfo next) =>
        checked(GgufLayout.Align(header + HeaderBytesOf(next), Alignment) + data + GgufLayout.Align(next.Bytes, Alignment));

    /// <summary>Bytes that a tensor takes in the header.</summary>
    internal static long HeaderBytesOf(TensorInfo tensor) => 8 + Encoding.UTF8.GetByteCount(tensor.Name) + 4 + 8 * tensor.Dimensions.Count + 4 + 8;

    /// <summary>The number of a tensor's type, and the values and bytes of a block.</summary>
    /// <exception cref="NibbleException">GGUF has no such type.</exception>
    internal (uint Type, int BlockSize, int BlockBytes) TypeOf(TensorInfo tensor)
    {
        if (tensor.Format is { } format) return ((uint)format.GgufType, format.BlockSize, format.BlockBytes);
        if (GgufTypes.TryNumber(tensor.TypeName, out uint type, out int bytes)) return (type, 1, bytes);
        return Throw.BadFile<(uint, int, int)>(Path, $"tensor {Quoted.Of(tensor.Name)} cannot be written: GGUF has no type {Quoted.Of(tensor.TypeName)}");
    }

    /// <exception cref="NibbleException">GGUF cannot hold a tensor.</exception>
    internal void Check()
    {
        HashSet<string> names = new(StringComparer.Ordinal);
        foreach (TensorInfo tensor in Tensors)
        {
            string name = Quoted.Of(tensor.Name);
            if (Encoding.UTF8.GetByteCount(tensor.Name) is 0 or > GgufPart.LongestTensorName)
                Throw.BadFile(Path, $"tensor {name} cannot be written: a GGUF file names a tensor with 1 to {GgufPart.LongestTensorName} bytes");
            if (tensor.Dimensions.Count is 0 or > GgufPart.MostDimensions)
                Throw.BadFile(Path, $"tensor {name} cannot be written: a GGUF tensor has 1 to {GgufPart.MostDimensions} dimensions, this one has {tensor.Dimensions.Count}");
            if (tensor.Count == 0) Throw.BadFile(Path, $"tensor {name} cannot be written: it has a dimension of size zero");
            if (!names.Add(tensor.Name)) Throw.BadFile(Path, $"cannot hold two tensors called {name}");
            (_, int blockSize, int blockBytes) = TypeOf(tensor);
            if (tensor.Columns % blockSize != 0)
                Throw.BadFile(Path, $"tensor {name} cannot be stored as {tensor.TypeName}: its rows of {tensor.Columns} values are no multiple of {blockSize}");
            if (tensor.Bytes != tensor.Count / blockSize * blockBytes + (tensor.Format?.TailBytes ?? 0))
                throw new ArgumentException($"{tensor.Count} values of type {tensor.TypeName} do not have {tensor.Bytes} bytes");
        }
    }

    private static long StoredBytes(MetadataValue value) => value.Bytes.Length + value.Type switch
    {
        MetadataType.Array => 4 + 8, // element type, length
        MetadataType.String => 8,
        _ => 0,
    };
}
