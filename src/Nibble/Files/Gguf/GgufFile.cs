using Nibble.Formats;
using Nibble.Memory;

namespace Nibble.Files.Gguf;

/// <summary>
/// A model in GGUF, version 2 or 3, little-endian; mapped into memory, so that opening reads the header alone.
/// A split model (<c>NAME-00001-of-0000N.gguf</c>) is one model: its parts are found from any of them.
/// </summary>
public sealed class GgufFile : ModelFile
{
    private readonly IReadOnlyList<GgufPart> _parts;
    private readonly List<TensorInfo> _tensors = [];
    private readonly Dictionary<string, (int Part, int Index)> _places = new(StringComparer.Ordinal);

    /// <summary>The tensors whose bytes are not what their type says alone; <see langword="null"/> where there are none.</summary>
    private readonly I2_STensors? _ternary;

    private GgufFile(string path, IReadOnlyList<GgufPart> parts, I2_SLayout? i2sLayout)
    {
        Path = path;
        _parts = parts;
        foreach ((int number, GgufPart part) in parts.Index())
        {
            for (int i = 0; i < part.Tensors.Count; i++)
            {
                if (!_places.TryAdd(part.Tensors[i].Name, (number, i)))
                    Throw.BadFile(part.Path, $"tensor {Quoted.Of(part.Tensors[i].Name)} is in another part too; download all parts again");
            }
            _tensors.AddRange(part.Tensors);
        }
        if (parts.Count > 1 && parts[0].Metadata.Integer(GgufSplit.TensorCountKey) is long expected && expected != _tensors.Count)
            Throw.BadFile(parts[0].Path, $"{GgufSplit.TensorCountKey} says {expected:N0} tensors, the {parts.Count} parts hold {_tensors.Count:N0}; download all parts again");
        if (_tensors.Exists(I2_STensors.Is)) _ternary = new(path, Metadata, _tensors, t => DataOf(t).Data, i2sLayout);
    }

    /// <summary>Opens a GGUF file, with all other parts where it is one part of a split model, and checks the headers.</summary>
    /// <param name="path">The file.</param>
    /// <param name="i2sLayout">How its I2_S tensors are packed; <see langword="null"/> to find out.</param>
    /// <exception cref="NibbleException">A file is missing, cannot be read, is no GGUF file or is damaged.</exception>
    public static new GgufFile Open(string path, I2_SLayout? i2sLayout = null)
    {
        List<GgufPart> parts = [new(path)];
        try
        {
            if (PartCount(parts[0]) is long count and > 1)
            {
                parts[0].Dispose();
                OpenParts(path, count, parts);
            }
            return new(path, parts, i2sLayout);
        }
        catch
        {
            foreach (GgufPart part in parts) part.Dispose();
            throw;
        }
    }

    /// <summary>The file as it was named to <see cref="Open"/>.</summary>
    public override string Path { get; }

    public override string Container => $"GGUF v{_parts[0].Version}{(_parts.Count > 1 ? $" in {_parts.Count} parts" : "")}";

    public override IReadOnlyList<string> Files => [.. _parts.Select(part => part.Path)];

    /// <summary>The metadata of the first part.</summary>
    public override Metadata Metadata => _parts[0].Metadata;

    public override IReadOnlyList<TensorInfo> Tensors => _tensors;

    public override MemoryRegion Read(TensorInfo tensor, long firstRow, long rows)
    {
        (TensorInfo own, MemoryRegion data) = DataOf(tensor);
        return I2_STensors.Is(own) ? _ternary!.Read(own, firstRow, rows, withTail: false) : data.Slice(checked(firstRow * own.RowBytes), checked(rows * own.RowBytes));
    }

    public override MemoryRegion Read(TensorInfo tensor)
    {
        (TensorInfo own, MemoryRegion data) = DataOf(tensor);
        return I2_STensors.Is(own) ? _ternary!.Read(own, 0, own.Rows, withTail: true) : data;
    }

    public override void Prefetch(TensorInfo tensor, long firstRow, long rows)
    {
        (TensorInfo own, MemoryRegion data) = DataOf(tensor);
        MemoryRegion soon = data.Slice(checked(firstRow * own.RowBytes), checked(rows * own.RowBytes)); // where rows share bytes, nearly these
        (soon.Owner as MappedFile)?.Prefetch(soon);
    }

    public override void Release(MemoryRegion region)
    {
        if (region.Owner is AlignedBuffer buffer) buffer.Dispose(); // repacked by Read
        else base.Release(region);
    }

    public override I2_SLayout? Layout => _ternary?.Layout;

    public override string? LayoutNote => _ternary?.Note;

    public override bool IsLayoutConcluded => _ternary is { IsConcluded: true };

    public override byte[] ReadTail(TensorInfo tensor)
    {
        (TensorInfo own, MemoryRegion data) = DataOf(tensor);
        int bytes = own.Format?.TailBytes ?? 0;
        return data.AsSpan<byte>(data.Length - bytes, bytes).ToArray();
    }

    /// <summary>The part that holds a tensor of this file, counted from 0.</summary>
    public int PartOf(TensorInfo tensor) => _places[tensor.Name].Part;

    public override void Dispose()
    {
        foreach (GgufPart part in _parts) part.Dispose();
    }

    /// <summary>A tensor as the file lists it, and its bytes there.</summary>
    private (TensorInfo Tensor, MemoryRegion Data) DataOf(TensorInfo tensor) => _places.TryGetValue(tensor.Name, out (int Part, int Index) place)
        ? (_parts[place.Part].Tensors[place.Index], _parts[place.Part].Data(place.Index))
        : throw new ArgumentException($"{Path} has no tensor {tensor.Name}", nameof(tensor));

    private static long PartCount(GgufPart part) => part.Metadata.Integer(GgufSplit.PartCountKey) ?? 1;

    private static void OpenParts(string path, long count, List<GgufPart> parts)
    {
        SplitName? parsed = SplitName.Parse(path);
        if (parsed is not { } name || name.Count != count)
        {
            Throw.BadFile(path, $"is one of {count:N0} parts of a model, but its name does not end in -0000X-of-{count:00000}.gguf; give the parts their names back");
            return;
        }
        parts.Clear();
        for (int number = 1; number <= count; number++)
        {
            string sibling = name.PathOf(number);
            if (!File.Exists(sibling)) Throw.BadFile(sibling, $"no such file, but {path} is one of {count:N0} parts of a model; download the missing part");
            GgufPart part = new(sibling);
            parts.Add(part);
            if (PartCount(part) != count || part.Metadata.Integer(GgufSplit.PartKey) != number - 1)
                Throw.BadFile(sibling, $"is not part {number} of the {count:N0} parts that its name says; download it again");
        }
    }
}
