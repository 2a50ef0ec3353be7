using System.Text;
using System.Text.Json;

namespace Nibble.Files.Safetensors;

/// <summary>
/// The header of a safetensors file: JSON that maps each tensor's name to its type, shape and place in the data.
/// Specification: https://github.com/huggingface/safetensors
/// <code>{"name": {"dtype": "F16", "shape": [rows, columns], "data_offsets": [start, end]}, "__metadata__": {"key": "text"}}</code>
/// </summary>
internal sealed class SafetensorsHeader
{
    public const string MetadataKey = "__metadata__";
    private const int Deepest = 16;

    private readonly string _path;
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly List<(TensorInfo Tensor, long Start)> _tensors = [];

    /// <param name="path">The file, for error messages.</param>
    /// <param name="json">The header.</param>
    /// <param name="dataBytes">Bytes of the file after the header.</param>
    /// <exception cref="NibbleException">The header is damaged or does not fit the data.</exception>
    public SafetensorsHeader(string path, ReadOnlySpan<byte> json, long dataBytes)
    {
        _path = path;
        Metadata = new(path);
        try
        {
            Utf8JsonReader reader = new(json, new JsonReaderOptions { MaxDepth = Deepest });
            Next(ref reader, JsonTokenType.StartObject);
            while (Advance(ref reader) == JsonTokenType.PropertyName)
            {
                string name = reader.GetString()!;
                if (name == MetadataKey) ReadMetadata(ref reader);
                else ReadTensor(ref reader, name);
            }
            if (reader.Read()) Damaged("the header goes on after its end");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // the latter: text that is not valid Unicode
        {
            throw new NibbleException($"{path}: the header is not valid JSON; the file is damaged, download it again", e);
        }
        _tensors.Sort((a, b) => (a.Start, a.Tensor.Bytes).CompareTo((b.Start, b.Tensor.Bytes)));
        CheckPlaces(dataBytes);
    }

    public Metadata Metadata { get; }

    /// <summary>The tensors in the order of their data, with the byte of the data at which each starts.</summary>
    public IReadOnlyList<(TensorInfo Tensor, long Start)> Tensors => _tensors;

    private void ReadMetadata(ref Utf8JsonReader reader)
    {
        Next(ref reader, JsonTokenType.StartObject);
        while (Advance(ref reader) == JsonTokenType.PropertyName)
        {
            string key = reader.GetString()!;
            if (Metadata.Contains(key)) Damaged($"metadata key {Quoted.Of(key)} appears twice");
            if (Advance(ref reader) != JsonTokenType.String) Damaged($"metadata key {Quoted.Of(key)} is no text");
            Metadata[key] = MetadataValue.Of(reader.GetString()!);
        }
    }

    private void ReadTensor(ref Utf8JsonReader reader, string name)
    {
        if (name.Length == 0) Damaged("a tensor has no name");
        string tensor = $"tensor {Quoted.Of(name)}";
        if (!_names.Add(name)) Damaged($"{tensor} appears twice");
        string? type = null;
        List<long>? shape = null, offsets = null;
        if (Advance(ref reader) != JsonTokenType.StartObject) Damaged($"{tensor} has no description");
        while (Advance(ref reader) == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("dtype"u8)) type = Advance(ref reader) == JsonTokenType.String ? reader.GetString() : null;
            else if (reader.ValueTextEquals("shape"u8)) shape = ReadNumbers(ref reader, tensor);
            else if (reader.ValueTextEquals("data_offsets"u8)) offsets = ReadNumbers(ref reader, tensor);
            else reader.Skip();
        }
        if (type is null || shape is null || offsets is not [long start, long end]) Damaged($"{tensor} lacks its dtype, shape or data_offsets");
        else Add(name, type, shape, start, end);
    }

    private void Add(string name, string type, List<long> shape, long start, long end)
    {
        string tensor = $"tensor {Quoted.Of(name)}";
        int bits = SafetensorsTypes.BitsOf(type);
        if (bits == 0) Throw.BadFile(_path, $"{tensor} has type {Quoted.Of(type)}, which is unknown; known types: {SafetensorsTypes.Known}");
        long product = 1; // of the sizes but for zeros: no order of the sizes may overflow
        foreach (long size in shape.Where(size => size > 0))
        {
            if (product > long.MaxValue / 64 / size) Damaged($"{tensor} is larger than any file");
            product *= size;
        }
        long count = shape.Contains(0) ? 0 : product;
        if (start > end || count * bits % 8 != 0 || count * bits / 8 != end - start)
            Damaged($"{tensor} has {count:N0} values of type {type}, which do not fill its bytes {start:N0} to {end:N0}");
        shape.Reverse(); // from slowest to fastest dimension, to GGUF's order
        long[] dimensions = shape.Count == 0 ? [1] : [.. shape];
        _tensors.Add((new(name, dimensions, type, SafetensorsTypes.FormatOf(type), end - start), start));
    }

    private void CheckPlaces(long dataBytes)
    {
        long end = 0;
        foreach ((TensorInfo tensor, long start) in _tensors)
        {
            if (start != end) Damaged($"the data of tensor {Quoted.Of(tensor.Name)} {(start < end ? "overlaps" : "does not follow")} that of the tensor before it");
            if (tensor.Bytes > dataBytes - start)
                Throw.BadFile(_path, $"the file is truncated: tensor {Quoted.Of(tensor.Name)} needs {start + tensor.Bytes:N0} bytes of data, the file has {dataBytes:N0}; download it again");
            end = start + tensor.Bytes;
        }
        if (end != dataBytes) Damaged($"{dataBytes - end:N0} bytes at the end belong to no tensor");
    }

    private List<long> ReadNumbers(ref Utf8JsonReader reader, string tensor)
    {
        List<long> numbers = [];
        if (Advance(ref reader) != JsonTokenType.StartArray) Damaged($"{tensor} lacks its numbers");
        while (Advance(ref reader) != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out long number) || number < 0)
                Damaged($"{tensor} has {Quoted.Of(Encoding.UTF8.GetString(reader.ValueSpan[..Math.Min(reader.ValueSpan.Length, 40)]))} where a size or offset was expected");
            else numbers.Add(number);
        }
        return numbers;
    }

    private void Next(ref Utf8JsonReader reader, JsonTokenType expected)
    {
        if (Advance(ref reader) != expected) Damaged("the header is not of the form that safetensors files have");
    }

    private JsonTokenType Advance(ref Utf8JsonReader reader)
    {
        if (!reader.Read()) Damaged("the header ends too early");
        return reader.TokenType;
    }

    private void Damaged(string problem) => Throw.BadFile(_path, $"{problem}; the file is damaged, download it again");
}
