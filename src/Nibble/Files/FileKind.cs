using System.Text;
using Nibble.Memory;

namespace Nibble.Files;

/// <summary>Recognizes by their first bytes files that are no models, or models that cannot be read, and says what to do about them.</summary>
internal static class FileKind
{
    /// <summary>Bytes from the start of a file that <see cref="Describe"/> looks at.</summary>
    public const int BytesNeeded = 64;

    private static readonly (byte[] Start, string Problem)[] s_kinds =
    [
        ("version https://git-lfs"u8.ToArray(), "is a Git LFS pointer, not the file itself; run `git lfs pull` in its folder"),
        ("<!doctype"u8.ToArray(), "is a web page, not a model; download the file itself (on Hugging Face: the address with /resolve/ instead of /blob/)"),
        ("<html"u8.ToArray(), "is a web page, not a model; download the file itself (on Hugging Face: the address with /resolve/ instead of /blob/)"),
        ("PK\u0003\u0004"u8.ToArray(), "is a PyTorch checkpoint or another zip archive; get the model as safetensors or GGUF"),
        ([0x80, 2], "is a Python pickle, which runs code when it is loaded; get the model as safetensors or GGUF"),
        ([0x80, 4], "is a Python pickle, which runs code when it is loaded; get the model as safetensors or GGUF"),
        ("lmgg"u8.ToArray(), "is in a format older than GGUF; download a GGUF file of this model"),
        ("fmgg"u8.ToArray(), "is in a format older than GGUF; download a GGUF file of this model"),
        ("tjgg"u8.ToArray(), "is in a format older than GGUF; download a GGUF file of this model"),
        ([0x89, (byte)'H', (byte)'D', (byte)'F'], "is an HDF5 file; get the model as safetensors or GGUF"),
        ([0x1f, 0x8b], "is compressed with gzip; unpack it first"),
        ([0x28, 0xb5, 0x2f, 0xfd], "is compressed with zstd; unpack it first"),
    ];

    /// <summary>Reads the start of a file; returns the bytes read, fewer than asked for where the file is shorter.</summary>
    /// <exception cref="NibbleException">The file does not exist or cannot be read.</exception>
    public static int ReadStart(string path, Span<byte> start)
    {
        using MappedFile file = new(path);
        int length = (int)Math.Min(file.Length, start.Length);
        file.Region.AsSpan<byte>(0, length).CopyTo(start);
        return length;
    }

    /// <summary>What is wrong with a file that starts like this, or <see langword="null"/> where it looks like nothing known.</summary>
    public static string? Describe(ReadOnlySpan<byte> start)
    {
        foreach ((byte[] known, string problem) in s_kinds)
            if (start.Length >= known.Length && Ascii.EqualsIgnoreCase(start[..known.Length], known) || start.StartsWith(known)) return problem;
        return null;
    }
}
