using System.Text.Json;
using Nibble.Cli.Terminal;
using Nibble.Files;
using Nibble.Formats;
using Nibble.Quantization;

namespace Nibble.Cli.Commands;

/// <summary>The facts about a model that people ask for first.</summary>
internal sealed class ModelSummary
{
    public const string ChatTemplateKey = "tokenizer.chat_template";

    private readonly ModelFile _file;
    private readonly string? _architecture;
    private readonly ContentLevel _content;

    private ModelSummary(ModelFile file)
    {
        _file = file;
        _architecture = file.Metadata.String("general.architecture");
        _content = ContentLevel.Of(file);
        TensorBytes = file.Tensors.Sum(t => t.Bytes);
        Parameters = file.Tensors.Sum(t => t.Count);
        // A part of a split model is shorter than its tensors together.
        Bytes = Math.Max(TensorBytes, File.Exists(file.Path) ? new FileInfo(file.Path).Length : 0);
        string[] recorded = file.Metadata.Integer("general.file_type") is { } type ? [.. Recipe.FromFileType(type).Select(r => r.Name)] : [];
        FileNameLevel? promised = FileNameLevel.Find(System.IO.Path.GetFileName(file.Path));
        if (file.Tensors.Count == 0) Disagreement = null;
        else if (promised is { } name && !_content.Agrees(name.Name)) Disagreement = $"the file's name says {name.Name}, but its tensors are {Describe(_content)}";
        else if (recorded.Length > 0 && !recorded.Any(_content.Agrees)) Disagreement = $"the metadata says {string.Join(" or ", recorded)} (general.file_type), but the tensors are {Describe(_content)}";
        NameLevel = promised?.Name;
        RecordedLevel = recorded.FirstOrDefault(_content.Agrees) ?? recorded.FirstOrDefault();
    }

    public static ModelSummary Of(ModelFile file) => new(file);

    /// <summary>Bytes of the file, or of all tensors of a folder or split model.</summary>
    public long Bytes { get; }

    public long TensorBytes { get; }

    public long Parameters { get; }

    /// <summary>The level in the file's name.</summary>
    public string? NameLevel { get; }

    /// <summary>The level in the metadata.</summary>
    public string? RecordedLevel { get; }

    /// <summary>What to warn of where name, metadata and tensors contradict one another.</summary>
    public string? Disagreement { get; }

    /// <summary>The facts with their names; those that a file does not tell are <see langword="null"/>.</summary>
    public IEnumerable<(string Name, string? Value)> Lines
    {
        get
        {
            yield return ("architecture", _architecture);
            yield return ("name", _file.Metadata.String("general.name"));
            yield return ("parameters", $"{Format.Count(Parameters)} in {_file.Tensors.Count} tensors");
            yield return ("context", Integer("context_length") is { } context ? $"{context} tokens" : null);
            yield return ("layers", Integer("block_count")?.ToString());
            yield return ("width", Integer("embedding_length") is { } width ? $"{width}{(Integer("feed_forward_length") is { } hidden ? $", feed-forward {hidden}" : "")}" : null);
            yield return ("heads", Integer("attention.head_count") is { } heads ? $"{heads}{(Integer("attention.head_count_kv") is { } keys ? $", {keys} key/value" : "")}" : null);
            if (_file.Tensors.Count > 0)
                yield return ("quantization", $"{Describe(_content)}, {Format.Bits(8.0 * TensorBytes / Parameters)} bits per weight{(NameLevel is null ? "" : $" (the name says {NameLevel})")}");
            foreach ((string type, string readers) in Foreign) yield return ("other tools", $"cannot read this file: {type} is read by {readers} alone");
            yield return ("I2_S layout", _file.LayoutNote);
            yield return ("tokenizer", Tokenizer());
            yield return ("chat template", _file.Metadata.Contains("tokenizer.ggml.model") ? (_file.Metadata.Contains(ChatTemplateKey) ? "yes" : "none") : null);
        }
    }

    /// <summary>Formats in the file that llama.cpp and its kin do not know, with the programs that do.</summary>
    private IEnumerable<(string Type, string Readers)> Foreign =>
        _file.Tensors.Select(t => t.Format).OfType<WeightFormat>().Distinct().Where(f => f.Readers is not null).Select(f => (f.Name, f.Readers!));

    public void WriteJson(Utf8JsonWriter json, bool tensors)
    {
        json.WriteStartObject();
        json.WriteString("file", _file.Path);
        json.WriteString("container", _file.Container);
        json.WriteNumber("bytes", Bytes);
        json.WriteString("architecture", _architecture);
        json.WriteNumber("parameters", Parameters);
        if (Integer("context_length") is { } context) json.WriteNumber("context", context);
        json.WriteString("level", _content.Name);
        json.WriteBoolean("levelIsExact", _content.IsExact);
        json.WriteString("levelInName", NameLevel);
        json.WriteString("levelInMetadata", RecordedLevel);
        json.WriteString("disagreement", Disagreement);
        json.WriteNumber("bitsPerWeight", Parameters == 0 ? 0 : 8.0 * TensorBytes / Parameters);
        json.WriteStartArray("types");
        foreach (IGrouping<string, TensorInfo> type in _file.Tensors.GroupBy(t => t.TypeName))
        {
            json.WriteStartObject();
            json.WriteString("type", type.Key);
            if (type.First().Format?.Readers is { } readers) json.WriteString("readBy", readers);
            json.WriteNumber("tensors", type.Count());
            json.WriteNumber("weights", type.Sum(t => t.Count));
            json.WriteNumber("bytes", type.Sum(t => t.Bytes));
            json.WriteEndObject();
        }
        json.WriteEndArray();
        EvaluationReport.WriteJson(json, _file);
        json.WriteString("chatTemplate", _file.Metadata.String(ChatTemplateKey));
        json.WriteStartObject("metadata");
        foreach ((string key, MetadataValue value) in _file.Metadata) WriteValue(json, key, value);
        json.WriteEndObject();
        if (tensors) WriteTensors(json);
        json.WriteEndObject();
    }

    private void WriteTensors(Utf8JsonWriter json)
    {
        json.WriteStartArray("tensors");
        foreach (TensorInfo tensor in _file.Tensors)
        {
            json.WriteStartObject();
            json.WriteString("name", tensor.Name);
            json.WriteString("type", tensor.TypeName);
            json.WriteStartArray("shape");
            foreach (long size in tensor.Dimensions) json.WriteNumberValue(size);
            json.WriteEndArray();
            json.WriteNumber("bytes", tensor.Bytes);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    /// <summary>A number or a string as itself; an array as its type and length, since vocabularies have 100,000 entries.</summary>
    private static void WriteValue(Utf8JsonWriter json, string key, MetadataValue value)
    {
        switch (value.Type)
        {
            case MetadataType.Bool: json.WriteBoolean(key, value.AsBool()); break;
            case MetadataType.String: json.WriteString(key, value.AsString()); break;
            case MetadataType.UInt64: json.WriteString(key, value.ToString()); break; // beyond what every JSON reader holds
            case MetadataType.Float32 or MetadataType.Float64 when double.IsFinite(value.AsFloat()): json.WriteNumber(key, value.AsFloat()); break;
            case MetadataType.Float32 or MetadataType.Float64 or MetadataType.Array: json.WriteString(key, value.ToString()); break;
            default: json.WriteNumber(key, value.AsInteger()); break;
        }
    }

    private long? Integer(string name) =>
        _file.Metadata.TryGet($"{_architecture}.{name}", out MetadataValue? value) && value.Type != MetadataType.Array ? _file.Metadata.Integer($"{_architecture}.{name}") : null;

    private string? Tokenizer()
    {
        if (_file.Metadata.String("tokenizer.ggml.model") is not { } kind) return null;
        string pre = _file.Metadata.String("tokenizer.ggml.pre") is { } name ? $" ({name})" : "";
        string size = _file.Metadata.TryGet("tokenizer.ggml.tokens", out MetadataValue? tokens) ? $", {tokens.Count:N0} tokens" : "";
        return kind + pre + size;
    }

    private static string Describe(ContentLevel level) => level.IsExact ? level.Name : $"mostly {level.Name}";
}
