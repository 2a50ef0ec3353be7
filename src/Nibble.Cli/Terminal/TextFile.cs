using System.Text.Unicode;

namespace Nibble.Cli.Terminal;

/// <summary>A text that the user names.</summary>
internal static class TextFile
{
    /// <summary>The bytes of the file, or of standard input for <c>-</c>.</summary>
    /// <exception cref="NibbleException">It cannot be read or is empty.</exception>
    public static byte[] Read(string path, CancellationToken cancellationToken = default)
    {
        if (path == "-") return ReadStandardInput(cancellationToken);
        if (Directory.Exists(path)) throw new NibbleException($"{path}: is a folder; a text file was expected");
        if (!File.Exists(path)) throw new NibbleException($"{path}: no such file");
        byte[] bytes = File.ReadAllBytes(path);
        return bytes.Length > 0 ? bytes : throw new NibbleException($"{path}: the file is empty");
    }

    /// <summary>The same, of a file that must be text.</summary>
    /// <exception cref="NibbleException">It cannot be read, is empty, or is no text.</exception>
    public static byte[] ReadText(string path, CancellationToken cancellationToken = default)
    {
        byte[] bytes = Read(path, cancellationToken);
        return Utf8.IsValid(bytes) ? bytes : throw new NibbleException($"{path}: is not UTF-8 text; name a text file");
    }

    public static byte[] ReadStandardInput(CancellationToken cancellationToken = default)
    {
        return WaitFor(ReadAll, cancellationToken);

        static byte[] ReadAll()
        {
            using Stream input = Console.OpenStandardInput();
            using MemoryStream bytes = new();
            input.CopyTo(bytes);
            return bytes.ToArray();
        }
    }

    /// <summary>Reads from standard input until it answers or Ctrl-C comes, which reading alone would not notice.</summary>
    public static T WaitFor<T>(Func<T> read, CancellationToken cancellationToken) =>
        Task.Run(read, CancellationToken.None).WaitAsync(cancellationToken).GetAwaiter().GetResult();
}
