namespace Nibble.Cli.Terminal;

/// <summary>A text that the user names.</summary>
internal static class TextFile
{
    /// <summary>The bytes of the file, or of standard input for <c>-</c>.</summary>
    /// <exception cref="NibbleException">It cannot be read or is empty.</exception>
    public static byte[] Read(string path)
    {
        if (path == "-") return ReadStandardInput();
        if (Directory.Exists(path)) throw new NibbleException($"{path}: is a folder; a text file was expected");
        if (!File.Exists(path)) throw new NibbleException($"{path}: no such file");
        byte[] bytes = File.ReadAllBytes(path);
        return bytes.Length > 0 ? bytes : throw new NibbleException($"{path}: the file is empty");
    }

    public static byte[] ReadStandardInput()
    {
        using Stream input = Console.OpenStandardInput();
        using MemoryStream bytes = new();
        input.CopyTo(bytes);
        return bytes.ToArray();
    }
}
