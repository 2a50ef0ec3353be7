namespace Nibble.Files.Gguf;

/// <summary>
/// Spreads a model over several files, as llama.cpp reads them: the first has the metadata, each its number and how many there are,
/// and a header of its own for its own tensors.
/// </summary>
internal static class GgufSplit
{
    private const string KeyStart = "split.";

    /// <summary>The part's number, from 0; a uint16.</summary>
    public const string PartKey = KeyStart + "no";

    /// <summary>How many parts there are; a uint16.</summary>
    public const string PartCountKey = KeyStart + "count";

    /// <summary>How many tensors all parts have together; an int32.</summary>
    public const string TensorCountKey = KeyStart + "tensors.count";

    /// <summary>A model in one file, even where it comes from a split one.</summary>
    public static GgufOutput Whole(string path, Metadata metadata, IReadOnlyList<TensorInfo> tensors) => new(path, Unsplit(metadata), tensors);

    /// <summary>Cuts a model wherever the next tensor would be too many.</summary>
    /// <param name="target">What the parts are called after: <c>NAME.gguf</c>, <c>NAME</c>, or one of the parts themselves.</param>
    /// <param name="metadata">The metadata of the model.</param>
    /// <param name="tensors">Its tensors, in order.</param>
    /// <param name="split">The limits.</param>
    public static IReadOnlyList<GgufOutput> Cut(string target, Metadata metadata, IReadOnlyList<TensorInfo> tensors, SplitOptions split)
    {
        GgufOutput first = Part(target, metadata, [], 0, 1, 0), later = Part(target, metadata, [], 1, 1, 0);
        List<List<TensorInfo>> parts = [];
        long header = 0, data = 0;
        foreach (TensorInfo tensor in tensors)
        {
            GgufOutput part = parts.Count <= 1 ? first : later;
            if (parts.Count == 0 || parts[^1].Count >= split.MaxTensors || part.BytesWith(header, data, tensor) > split.MaxBytes)
            {
                part = parts.Count == 0 ? first : later;
                parts.Add([]);
                (header, data) = (part.HeaderBytes, 0);
            }
            parts[^1].Add(tensor);
            header += GgufOutput.HeaderBytesOf(tensor);
            data += GgufLayout.Align(tensor.Bytes, part.Alignment);
        }
        return Parts(target, metadata, parts);
    }

    /// <summary>Makes a part of each list of tensors.</summary>
    public static IReadOnlyList<GgufOutput> Parts(string target, Metadata metadata, IReadOnlyList<IReadOnlyList<TensorInfo>> parts)
    {
        if (parts.Count > ushort.MaxValue) Throw.BadInput($"the model would have {parts.Count:N0} parts, and {ushort.MaxValue:N0} are possible; allow larger ones");
        int tensors = parts.Sum(part => part.Count);
        return [.. parts.Select((part, number) => Part(target, metadata, part, number, parts.Count, tensors))];
    }

    private static GgufOutput Part(string target, Metadata metadata, IReadOnlyList<TensorInfo> own, int number, int count, int tensors)
    {
        Metadata written = number == 0 ? Unsplit(metadata) : new(metadata.Source);
        written[PartKey] = MetadataValue.Of((ushort)number);
        written[PartCountKey] = MetadataValue.Of((ushort)count);
        written[TensorCountKey] = MetadataValue.Of(tensors);
        return new(SplitName.ForTarget(target, count).PathOf(number + 1), written, own);
    }

    private static Metadata Unsplit(Metadata metadata)
    {
        Metadata result = new(metadata.Source);
        foreach ((string key, MetadataValue value) in metadata)
            if (!key.StartsWith(KeyStart, StringComparison.Ordinal)) result[key] = value;
        return result;
    }
}
