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

    public static byte[] ReadStandardInput(CancellationToken cancellationToken = default)
    {
        // In the background, since a read that waits does not hear of Ctrl-C.
        return Task.Run(ReadAll, CancellationToken.None).WaitAsync(cancellationToken).GetAwaiter().GetResult();

        static byte[] ReadAll()
        {
            using Stream input = Console.OpenStandardInput();
            using MemoryStream bytes = new();
            input.CopyTo(bytes);
            return bytes.ToArray();
        }
    }
}
