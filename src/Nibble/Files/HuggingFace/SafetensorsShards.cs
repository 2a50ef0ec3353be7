using Nibble.Files.Safetensors;

namespace Nibble.Files.HuggingFace;

/// <summary>The safetensors files that together hold the tensors of a model folder.</summary>
internal sealed class SafetensorsShards : IDisposable
{
    public const string IndexName = "model.safetensors.index.json";
    private const string SingleName = "model.safetensors";

    private readonly List<SafetensorsFile> _files = [];
    private readonly Dictionary<string, SafetensorsFile> _places = new(StringComparer.Ordinal);

    /// <exception cref="NibbleException">There are none, one is missing, or they do not fit together.</exception>
    public SafetensorsShards(string folder)
    {
        try
        {
            string index = System.IO.Path.Combine(folder, IndexName);
            if (File.Exists(System.IO.Path.Combine(folder, SingleName))) Add(System.IO.Path.Combine(folder, SingleName));
            else if (File.Exists(index)) AddFromIndex(folder, index);
            else AddAll(folder);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>All tensors, under the names of the files.</summary>
    public IEnumerable<TensorInfo> Tensors => _files.SelectMany(f => f.Tensors);

    public int Count => _files.Count;

    /// <summary>The paths of the files.</summary>
    public IReadOnlyList<string> Paths => [.. _files.Select(file => file.Path)];

    /// <summary>The file that holds the tensor called <paramref name="name"/>.</summary>
    public SafetensorsFile FileOf(string name) => _places[name];

    public void Dispose()
    {
        foreach (SafetensorsFile file in _files) file.Dispose();
    }

    private void Add(string path)
    {
        SafetensorsFile file = SafetensorsFile.Open(path);
        _files.Add(file);
        foreach (TensorInfo tensor in file.Tensors)
            if (!_places.TryAdd(tensor.Name, file)) Throw.BadFile(path, $"tensor {Quoted.Of(tensor.Name)} is in {_places[tensor.Name].Path} too; remove the file that does not belong to the model");
    }

    private void AddFromIndex(string folder, string index)
    {
        JsonSection map = JsonSection.Read(index).TrySection("weight_map") ?? Throw.BadFile<JsonSection>(index, "key 'weight_map' is missing; the file is damaged, download it again");
        (string Tensor, string File)[] places = [.. map.Texts()];
        foreach (string name in places.Select(p => p.File).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            if (name.Length == 0 || name.AsSpan().ContainsAny("/\\:\0") || name is "." or "..")
                Throw.BadFile(index, $"names {Quoted.Of(name)}, which is no file of this folder; the file is damaged, download it again");
            string path = System.IO.Path.Combine(folder, name);
            if (!File.Exists(path)) Throw.BadFile(path, $"no such file, but {IndexName} names it; download the missing file");
            Add(path);
        }
        foreach ((string tensor, string file) in places)
        {
            if (!_places.TryGetValue(tensor, out SafetensorsFile? found) || System.IO.Path.GetFileName(found.Path) != file)
                Throw.BadFile(System.IO.Path.Combine(folder, file), $"lacks tensor {Quoted.Of(tensor)}, which {IndexName} says is in it; download both files again");
        }
    }

    /// <summary>Without an index: every file called <c>model*.safetensors</c>.</summary>
    private void AddAll(string folder)
    {
        string[] names = FolderFiles.Names(folder);
        foreach (string name in names.Where(n => n.StartsWith("model", StringComparison.Ordinal) && n.EndsWith(".safetensors", StringComparison.Ordinal)))
            Add(System.IO.Path.Combine(folder, name));
        if (_files.Count > 0) return;
        if (names.FirstOrDefault(n => n.StartsWith("pytorch_model", StringComparison.Ordinal)) is { } pickle)
            Throw.BadFile(folder, $"holds the model as a Python pickle only ({pickle}), which runs code when it is loaded; get it as safetensors");
        Throw.BadFile(folder, $"holds a config.json but no {SingleName} or {IndexName}; download these too");
    }
}
