using Nibble.Formats;
using Nibble.Memory;

namespace Nibble.Files.HuggingFace;

/// <summary>
/// A model folder as published on Hugging Face (<c>config.json</c>, safetensors, tokenizer), shown as llama.cpp's converter would write it
/// to GGUF: metadata keys, tensor names and order, the rows of queries and keys. Types stay as they are stored.
/// </summary>
public sealed class HuggingFaceFolder : ModelFile
{
    private const string RopeDivisorsName = "rope_freqs.weight";

    // What a model's metadata is made of, where it is there.
    private static readonly string[] s_settings =
    [
        "config.json", "generation_config.json", "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json",
        "added_tokens.json", "vocab.json", "merges.txt", "chat_template.jinja",
    ];

    private readonly ModelConfig _config;
    private readonly SafetensorsShards _shards;
    private readonly List<TensorInfo> _tensors = [];
    private readonly Dictionary<string, TensorInfo> _sources = new(StringComparer.Ordinal);
    private readonly AlignedBuffer? _ropeDivisors;

    private HuggingFaceFolder(string folder, ModelConfig config, SafetensorsShards shards)
    {
        Path = folder;
        _config = config;
        _shards = shards;
        foreach (TensorInfo tensor in shards.Tensors) Add(tensor);
        if (config.Rope.Divisors(config.HeadSize) is { } divisors)
        {
            _ropeDivisors = new(divisors.Length * sizeof(float));
            divisors.CopyTo(_ropeDivisors.AsSpan<float>(0, divisors.Length));
            _tensors.Add(new(RopeDivisorsName, [divisors.Length], F32.Name, WeightFormat.Of<F32>(), divisors.Length * sizeof(float)));
        }
        _tensors.Sort((a, b) => (TensorNames.LayerOf(a.Name), a.Name).CompareTo((TensorNames.LayerOf(b.Name), b.Name)));
        CheckTensors();

        int vocabulary = (int)_sources["token_embd.weight"].Rows;
        Metadata = new(folder);
        config.Write(Metadata, NameOf(folder), vocabulary);
        TokenizerFiles.Read(folder, vocabulary, Metadata);
    }

    /// <summary>Opens a model folder and checks that it is complete.</summary>
    /// <exception cref="NibbleException">A file is missing or damaged, or the architecture is not supported.</exception>
    public static HuggingFaceFolder Open(string folder)
    {
        string config = System.IO.Path.Combine(folder, "config.json");
        if (!File.Exists(config)) NoModel(folder);
        ModelConfig parsed = new(JsonSection.Read(config));
        SafetensorsShards shards = new(folder);
        try
        {
            return new(folder, parsed, shards);
        }
        catch
        {
            shards.Dispose();
            throw;
        }
    }

    public override string Path { get; }

    public override IReadOnlyList<string> Files => [.. s_settings.Select(name => System.IO.Path.Combine(Path, name)).Where(File.Exists), .. _shards.Paths];

    public override string Container => _shards.Count > 1 ? $"Hugging Face folder with {_shards.Count} safetensors files" : "Hugging Face folder";

    public override Metadata Metadata { get; }

    /// <summary>The tensors under GGUF's names: those outside the layers first, then layer by layer, each in alphabetical order.</summary>
    public override IReadOnlyList<TensorInfo> Tensors => _tensors;

    public override MemoryRegion Read(TensorInfo tensor, long firstRow, long rows)
    {
        if (tensor.Name == RopeDivisorsName && _ropeDivisors is { } divisors) return divisors.Region.Slice(firstRow * divisors.Length, rows * divisors.Length);
        if (!_sources.TryGetValue(tensor.Name, out TensorInfo? source)) throw new ArgumentException($"{Path} has no tensor {tensor.Name}", nameof(tensor));
        ModelFile file = _shards.FileOf(source.Name);
        if (!IsReordered(tensor.Name)) return file.Read(source, firstRow, rows);

        MemoryRegion all = file.Read(source);
        // The values of a bias stand for rows.
        long unit = source.Dimensions.Count == 1 ? source.Count : 1;
        MemoryRegion ordered = new RowOrder(_config.HeadSize).Gather(all, source.RowBytes / unit, firstRow * unit, rows * unit);
        file.Release(all.Slice(firstRow * source.RowBytes, rows * source.RowBytes)); // copied, so its pages need not stay
        return ordered;
    }

    public override void Prefetch(TensorInfo tensor, long firstRow, long rows)
    {
        if (_sources.TryGetValue(tensor.Name, out TensorInfo? source)) _shards.FileOf(source.Name).Prefetch(source, firstRow, rows);
    }

    public override void Release(MemoryRegion region)
    {
        if (region.Owner is AlignedBuffer buffer && buffer != _ropeDivisors) buffer.Dispose(); // gathered by Read
        else base.Release(region);
    }

    public override void Dispose()
    {
        _shards.Dispose();
        _ropeDivisors?.Dispose();
    }

    private void Add(TensorInfo source)
    {
        if (TensorNames.IsDerived(source.Name)) return;
        string file = _shards.FileOf(source.Name).Path, tensor = $"tensor {Quoted.Of(source.Name)}";
        if (TensorNames.ToGguf(source.Name) is not { } name)
        {
            Throw.BadFile(file, $"{tensor} is none that {_config.Family.ClassName} is known to have; the model is of another kind than config.json says");
            return;
        }
        if (name == "output.weight" && _config.TiesEmbeddings == true) return; // the same values as the embedding
        if (source.Format is null) Throw.BadFile(file, $"{tensor} has type {source.TypeName}, which cannot be read as weights; BF16, F16 and F32 can");
        if (source.Count == 0) Throw.BadFile(file, $"{tensor} is empty; the file is damaged, download it again");
        if (!_sources.TryAdd(name, source)) Throw.BadFile(file, $"{tensor} is there under another name too; the file is damaged, download it again");
        _tensors.Add(new(name, source.Dimensions, source.TypeName, source.Format, source.Bytes));
    }

    /// <summary>Checks that all tensors are there and have the sizes on which what this class does with them depends.</summary>
    private void CheckTensors()
    {
        string missing = "is missing; the download is incomplete, get the missing files";
        foreach (string name in TensorNames.Required(_config.Layers))
            if (!_sources.ContainsKey(name)) Throw.BadFile(Path, $"the tensor that GGUF calls '{name}' {missing}");
        if (_config.TiesEmbeddings == false && !_sources.ContainsKey("output.weight")) Throw.BadFile(Path, $"the tensor 'lm_head.weight' {missing}");

        TensorInfo embedding = _sources["token_embd.weight"];
        Expect(embedding, 0, _config.Width);
        if (embedding.Rows > int.MaxValue) Throw.BadFile(Path, $"the vocabulary has {embedding.Rows:N0} entries, more than any model");
        foreach ((string name, TensorInfo source) in _sources)
        {
            int layer = TensorNames.LayerOf(name);
            if (layer >= _config.Layers) Throw.BadFile(Path, $"tensor {Quoted.Of(source.Name)} belongs to layer {layer}, but config.json says there are {_config.Layers}");
            int heads = name.Contains(".attn_q.", StringComparison.Ordinal) ? _config.Heads : name.Contains(".attn_k.", StringComparison.Ordinal) ? _config.KeyHeads : 0;
            if (heads > 0) Expect(source, source.Dimensions.Count - 1, (long)heads * _config.HeadSize);
        }
    }

    private void Expect(TensorInfo source, int dimension, long size)
    {
        if (source.Dimensions.Count > 2 || source.Dimensions[dimension] != size)
            Throw.BadFile(Path, $"tensor {Quoted.Of(source.Name)} is [{string.Join(", ", source.Dimensions.Reverse())}], which does not fit the {size:N0} that config.json asks for; the files are of different models");
    }

    private bool IsReordered(string name) => _config.Family.InterleavesHeads
        && (name.Contains(".attn_q.", StringComparison.Ordinal) || name.Contains(".attn_k.", StringComparison.Ordinal));

    /// <summary>The model's name: its folder's, or in the cache of Hugging Face's own tools the one of the repository.</summary>
    private static string NameOf(string folder)
    {
        DirectoryInfo directory = new(System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(folder)));
        if (directory.Parent is { Name: "snapshots", Parent: { } repository }) return repository.Name.Split("--")[^1];
        return directory.Name;
    }

    private static void NoModel(string folder)
    {
        string[] models = [.. FolderFiles.Names(folder).Where(name => name.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase))];
        Throw.BadFile(folder, models.Length > 0
            ? $"is a folder with {models.Length:N0} GGUF files; name the file, such as {models[0]}"
            : "holds no model: there is no config.json; name a GGUF file or a folder as published on Hugging Face");
    }
}
