using System.Security.Cryptography;

namespace Nibble.Files;

/// <summary>A file by its content.</summary>
/// <param name="Name">Its name without the folder.</param>
/// <param name="Sha256">SHA-256 of its bytes, 64 hexadecimal digits in lower case.</param>
public sealed record HashedFile(string Name, string Sha256)
{
    private const int ReadAtATime = 1 << 20;

    /// <summary>Hashes a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="bytesRead">Told how many more bytes were read, for progress.</param>
    /// <param name="cancellationToken">Stops at once.</param>
    /// <exception cref="NibbleException">The file cannot be read.</exception>
    public static HashedFile Of(string path, Action<long>? bytesRead = null, CancellationToken cancellationToken = default)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, path, bytesRead, cancellationToken);
        return new(Path.GetFileName(path), Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    /// <summary>SHA-256 of the bytes of a model's files, one after the other in the order of its parts; for one file that of the file.</summary>
    /// <param name="model">The model.</param>
    /// <param name="bytesRead">Told how many more bytes were read, for progress.</param>
    /// <param name="cancellationToken">Stops at once.</param>
    /// <exception cref="NibbleException">A file cannot be read.</exception>
    public static string OfModel(ModelFile model, Action<long>? bytesRead = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string path in model.Files) Append(hash, path, bytesRead, cancellationToken);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Hashes the bytes of one tensor.</summary>
    internal static string Of(ModelFile file, TensorInfo tensor, Action<long>? bytesRead = null, CancellationToken cancellationToken = default)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long rowsAtATime = Math.Max(1, ReadAtATime / Math.Max(1, tensor.RowBytes));
        for (long row = 0; row < tensor.Rows; row += rowsAtATime)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Memory.MemoryRegion region = file.Read(tensor, row, Math.Min(rowsAtATime, tensor.Rows - row));
            hash.AppendData(region.AsSpan<byte>());
            bytesRead?.Invoke(region.Length);
            file.Release(region);
        }
        hash.AppendData(file.ReadTail(tensor));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void Append(IncrementalHash hash, string path, Action<long>? bytesRead, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[ReadAtATime];
        try
        {
            using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            for (int read; (read = stream.Read(buffer)) > 0;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                hash.AppendData(buffer, 0, read);
                bytesRead?.Invoke(read);
            }
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new NibbleException($"{path}: no such file", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new NibbleException($"{path}: cannot be read ({e.Message.ReplaceLineEndings(" ")})", e);
        }
    }

    /// <summary>Whether a text is what <see cref="Sha256"/> can be.</summary>
    internal static bool IsSha256(string text) => text.Length == 64 && text.All(char.IsAsciiHexDigitLower);
}
