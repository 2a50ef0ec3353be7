using Nibble.Memory;

namespace Nibble.Files;

/// <summary>
/// A model on disk, whatever its container: metadata under GGUF's keys and tensors under GGUF's names, so that nothing above
/// needs to know which container it was.
/// </summary>
public abstract class ModelFile : IDisposable
{
    private Dictionary<string, TensorInfo>? _byName;

    /// <summary>The file or folder.</summary>
    public abstract string Path { get; }

    /// <summary>The container in words, such as <c>GGUF v3</c>.</summary>
    public abstract string Container { get; }

    public abstract Metadata Metadata { get; }

    /// <summary>The tensors in the order of the file.</summary>
    public abstract IReadOnlyList<TensorInfo> Tensors { get; }

    /// <summary>The tensor called <paramref name="name"/>, or <see langword="null"/>.</summary>
    public TensorInfo? Find(string name)
    {
        _byName ??= Tensors.ToDictionary(t => t.Name, StringComparer.Ordinal);
        return _byName.GetValueOrDefault(name);
    }

    /// <summary>
    /// The bytes of rows <paramref name="firstRow"/> to <c>firstRow + rows - 1</c>, in the order in which a GGUF file stores them:
    /// a view of the mapped file where it stores them so, else a buffer of its own. Valid until this file is disposed.
    /// </summary>
    public abstract MemoryRegion Read(TensorInfo tensor, long firstRow, long rows);

    /// <summary>All bytes of a tensor.</summary>
    public MemoryRegion Read(TensorInfo tensor) => Read(tensor, 0, tensor.Rows);

    public static ModelFile Open(string path) => Gguf.GgufFile.Open(path);

    public abstract void Dispose();
}
