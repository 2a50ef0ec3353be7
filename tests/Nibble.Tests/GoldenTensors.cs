using System.Runtime.InteropServices;
using System.Text.Json;

namespace Nibble.Tests;

/// <summary>
/// The tensors of a safetensors file, read with as little code as the format allows, so that a fault in the library's own
/// reader cannot hide behind a golden test.
/// </summary>
internal sealed class GoldenTensors
{
    private readonly byte[] _file;
    private readonly int _dataStart;
    private readonly Dictionary<string, (int[] Shape, int Start, int End)> _tensors = [];

    private GoldenTensors(string path)
    {
        _file = File.ReadAllBytes(path);
        int headerLength = checked((int)BitConverter.ToInt64(_file));
        _dataStart = 8 + headerLength;
        using JsonDocument header = JsonDocument.Parse(_file.AsMemory(8, headerLength));
        foreach (JsonProperty tensor in header.RootElement.EnumerateObject())
        {
            if (tensor.Name == "__metadata__") continue;
            JsonElement offsets = tensor.Value.GetProperty("data_offsets");
            int[] shape = [.. tensor.Value.GetProperty("shape").EnumerateArray().Select(n => n.GetInt32())];
            _tensors.Add(tensor.Name, (shape, offsets[0].GetInt32(), offsets[1].GetInt32()));
        }
    }

    private static readonly Lazy<GoldenTensors> s_formats = new(() => new GoldenTensors(Shared.Find("golden/formats.safetensors")));

    /// <summary>Inputs, bytes and values of every format.</summary>
    public static GoldenTensors Formats
    {
        get
        {
            Shared.Find("golden/formats.safetensors");
            return s_formats.Value;
        }
    }

    public static GoldenTensors Read(string path) => new(path);

    public IEnumerable<string> Names => _tensors.Keys;

    public bool Contains(string name) => _tensors.ContainsKey(name);

    public int[] Shape(string name) => _tensors[name].Shape;

    public ReadOnlySpan<byte> Bytes(string name)
    {
        (_, int start, int end) = _tensors[name];
        return _file.AsSpan(_dataStart + start, end - start);
    }

    public ReadOnlySpan<float> Floats(string name) => MemoryMarshal.Cast<byte, float>(Bytes(name));
}
