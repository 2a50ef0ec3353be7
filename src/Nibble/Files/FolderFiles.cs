namespace Nibble.Files;

/// <summary>What a folder holds.</summary>
internal static class FolderFiles
{
    /// <summary>The names of the files in a folder, in ordinal order.</summary>
    /// <exception cref="NibbleException">The folder cannot be read.</exception>
    public static string[] Names(string folder)
    {
        try
        {
            return [.. Directory.EnumerateFiles(folder).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new NibbleException($"{folder}: the folder cannot be read; check its permissions ({e.Message})", e);
        }
    }
}
