using Nibble.Files.Gguf;
using Nibble.Files.HuggingFace;
using Nibble.Files.Safetensors;
using Nibble.Formats;
using Nibble.Memory;

namespace Nibble.Files;

/// <summary>
/// A model on disk, whatever its container: metadata under GGUF's keys and tensors under GGUF's names, so that nothing above
/// needs to know which container it was.
/// </summary>
public abstract class ModelFile : IDisposable
{
    private Dictionary<string, TensorInfo>? _byName;

    /// <summary>
    /// Opens a model: a GGUF file (of a split model any part), a folder as published on Hugging Face or the <c>config.json</c>
    /// in it, or a safetensors file by itself. Which of these it is, its first bytes decide.
    /// </summary>
    /// <param name="path">The file or folder.</param>
    /// <param name="i2sLayout">How its I2_S tensors are packed, where it has some; <see langword="null"/> to find out.</param>
    /// <exception cref="NibbleException">There is no model at <paramref name="path"/>, or it cannot be read; the message says what is there.</exception>
    public static ModelFile Open(string path, I2_SLayout? i2sLayout = null)
    {
        if (Directory.Exists(path)) return HuggingFaceFolder.Open(path);
        string name = System.IO.Path.GetFileName(path);
        if (name is "config.json" or SafetensorsShards.IndexName && File.Exists(path))
            return HuggingFaceFolder.Open(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!);

        Span<byte> start = stackalloc byte[FileKind.BytesNeeded];
        start = start[..FileKind.ReadStart(path, start)];
        if (start.StartsWith("GGUF"u8) || start.StartsWith("FUGG"u8)) return GgufFile.Open(path, i2sLayout);
        // The first eight bytes are the length of a header that starts with a brace.
        if (start.Length > 8 && start[8] == '{' && start[7] == 0) return SafetensorsFile.Open(path);
        if (start.IsEmpty) Throw.BadFile(path, "the file is empty; download it again");
        if (FileKind.Describe(start) is { } problem) Throw.BadFile(path, problem);
        return System.IO.Path.GetExtension(path).ToUpperInvariant() switch
        {
            ".GGUF" => GgufFile.Open(path, i2sLayout),
            ".SAFETENSORS" => SafetensorsFile.Open(path),
            _ => Throw.BadFile<ModelFile>(path, "is no model: GGUF files, safetensors files and folders as published on Hugging Face can be opened"),
        };
    }

    /// <summary>The file or folder.</summary>
    public abstract string Path { get; }

    /// <summary>The paths of the files that the model is read from, in the order of its parts.</summary>
    public abstract IReadOnlyList<string> Files { get; }

    /// <summary>The container in words, such as <c>GGUF v3</c>.</summary>
    public abstract string Container { get; }

    public abstract Metadata Metadata { get; }

    /// <summary>In which of its layouts the file has I2_S; <see langword="null"/> where it has none, or where that is unknown.</summary>
    public virtual I2_SLayout? Layout => null;

    /// <summary>The same in words, and how that is known; <see langword="null"/> where it has none.</summary>
    public virtual string? LayoutNote => null;

    /// <summary>Whether that layout was concluded from the weights, not said by anyone.</summary>
    public virtual bool IsLayoutConcluded => false;

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

    /// <summary>All bytes of a tensor, with its tail where its format has one.</summary>
    public virtual MemoryRegion Read(TensorInfo tensor) => Read(tensor, 0, tensor.Rows);

    /// <summary>The tail of a tensor, as long as its format says; empty in most formats.</summary>
    public virtual byte[] ReadTail(TensorInfo tensor) => [];

    /// <summary>Says that rows will be read soon, so that the system can get them from the disk meanwhile.</summary>
    public virtual void Prefetch(TensorInfo tensor, long firstRow, long rows)
    {
        MemoryRegion region = Read(tensor, firstRow, rows);
        (region.Owner as MappedFile)?.Prefetch(region);
    }

    /// <summary>Says that a region that <see cref="Read(TensorInfo, long, long)"/> returned is not needed again: it must not be used after.</summary>
    public virtual void Release(MemoryRegion region) => (region.Owner as MappedFile)?.Release(region);

    public abstract void Dispose();
}
