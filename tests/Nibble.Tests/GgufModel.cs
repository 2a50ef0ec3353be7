using System.Runtime.InteropServices;
using Nibble.Files;
using Nibble.Files.Gguf;
using Nibble.Formats;

namespace Nibble.Tests;

/// <summary>A model put together in memory, to be saved as GGUF: metadata and single-precision tensors.</summary>
internal sealed class GgufModel
{
    private readonly List<(TensorInfo Info, byte[] Bytes)> _tensors = [];

    public GgufModel(string architecture)
    {
        Architecture = architecture;
        Metadata["general.architecture"] = MetadataValue.Of(architecture);
    }

    public string Architecture { get; }

    public Metadata Metadata { get; } = new("a model of a test");

    /// <summary>Values by tensor name, row after row.</summary>
    public Dictionary<string, float[]> Values { get; } = [];

    /// <summary>Sets <c>ARCHITECTURE.name</c>.</summary>
    public GgufModel With(string name, MetadataValue value)
    {
        Metadata[$"{Architecture}.{name}"] = value;
        return this;
    }

    /// <summary>Adds a tensor <c>[columns, rows]</c> in GGUF's order; a vector where there are no rows.</summary>
    public void Add(string name, float[] values, int columns, int? rows = null)
    {
        long[] dimensions = rows is { } count ? [columns, count] : [columns];
        WeightFormat format = WeightFormat.Of<F32>();
        Values.Add(name, values);
        _tensors.Add((new TensorInfo(name, dimensions, format.Name, format, 4L * values.Length), MemoryMarshal.AsBytes<float>(values).ToArray()));
    }

    /// <summary>Adds a matrix for each of several experts, as one tensor <c>[columns, rows, experts]</c>.</summary>
    public void AddExperts(string name, float[] values, int columns, int rows)
    {
        WeightFormat format = WeightFormat.Of<F32>();
        Values.Add(name, values);
        _tensors.Add((new TensorInfo(name, [columns, rows, values.Length / columns / rows], format.Name, format, 4L * values.Length), MemoryMarshal.AsBytes<float>(values).ToArray()));
    }

    public string Save(string path)
    {
        using GgufWriter writer = GgufWriter.Create(path, Metadata, [.. _tensors.Select(t => t.Info)]);
        foreach ((_, byte[] bytes) in _tensors) writer.Write(bytes);
        writer.Commit();
        return path;
    }
}
