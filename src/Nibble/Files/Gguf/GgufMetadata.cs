using Nibble.Memory;

namespace Nibble.Files.Gguf;

/// <summary>Changes the metadata of a GGUF file and nothing else.</summary>
public static class GgufMetadata
{
    /// <summary>Bytes copied at a time.</summary>
    private const long Chunk = 8 << 20;

    /// <summary>
    /// Writes a file anew with other metadata: beside it, with the same tensors byte for byte and the same alignment, and gives it
    /// the name when it is complete. Of a split model only the first part, which has the metadata, is written; the others stay as they are.
    /// A program that has the old file open goes on reading it. Where the name is a link, a file takes its place.
    /// </summary>
    /// <param name="path">The file, or any part of a split model.</param>
    /// <param name="change">Changes the metadata.</param>
    /// <param name="progress">Told the bytes of tensors copied so far, and of all.</param>
    /// <param name="cancellationToken">Stops within megabytes and leaves the file as it was.</param>
    /// <exception cref="NibbleException">It is no GGUF file, or the disk has no room for another copy of it.</exception>
    public static void Rewrite(string path, Action<Metadata> change, Action<long, long>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(change);
        using GgufPart part = new(FirstPart(path));
        Metadata metadata = part.Metadata.Clone();
        change(metadata);
        GgufOutput output = new(part.Path, metadata, part.Tensors);
        if (output.Alignment != part.Alignment) throw new ArgumentException("the alignment must stay", nameof(change));
        long total = part.Tensors.Sum(t => t.Bytes), done = 0;
        UnixFileMode? mode = OperatingSystem.IsWindows() ? null : File.GetUnixFileMode(part.Path);
        using GgufWriter writer = GgufWriter.Create([output]);
        for (int i = 0; i < part.Tensors.Count; i++)
        {
            MemoryRegion data = part.Data(i);
            for (long start = 0; start < data.Length; start += Chunk)
            {
                cancellationToken.ThrowIfCancellationRequested();
                MemoryRegion piece = data.Slice(start, Math.Min(Chunk, data.Length - start));
                writer.Write(piece.AsSpan<byte>());
                progress?.Invoke(done += piece.Length, total);
            }
        }
        writer.Commit();
        if (mode is { } same && !OperatingSystem.IsWindows()) File.SetUnixFileMode(part.Path, same);
    }

    /// <summary>The file that has the metadata: the first part of a split model, else the file itself.</summary>
    /// <exception cref="NibbleException">It is no GGUF file, or a part is missing.</exception>
    public static string FirstPart(string path)
    {
        using ModelFile file = ModelFile.Open(path);
        return file is GgufFile ? file.Files[0] : Throw.BadFile<string>(path, "is no GGUF file, and only those can keep measurements; convert it first (nibble convert)");
    }
}
