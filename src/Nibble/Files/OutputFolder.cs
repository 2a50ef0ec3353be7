namespace Nibble.Files;

/// <summary>The folder that a result goes to, which had better be looked at before hours of work than after them.</summary>
public static class OutputFolder
{
    // The numbers of errors on Unix, and what Windows has for them.
    private const int NoSpace = 28, ReadOnly = 30, NoSpaceOnWindows = unchecked((int)0x80070070), ReadOnlyOnWindows = unchecked((int)0x80070013);

    /// <summary>Refuses a file that cannot be written, by writing another one beside it for a moment.</summary>
    /// <exception cref="NibbleException">It is a folder or a device, or its folder is missing or lets nothing be written.</exception>
    public static void Check(string path)
    {
        string probe = Path.Combine(AtomicFile.FolderOf(path), $".nibble-{Guid.NewGuid():N}{AtomicFile.Suffix}");
        try
        {
            using FileStream stream = new(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose);
        }
        catch (IOException e)
        {
            throw new NibbleException($"{path}: cannot be written: {Reason(e)}", e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new NibbleException($"{path}: cannot be written: no permission; choose another folder or change its permissions", e);
        }
    }

    /// <summary>Why writing failed, in words, with the remedy where there is one.</summary>
    internal static string Reason(IOException exception) => exception.HResult switch
    {
        NoSpace or NoSpaceOnWindows => "the disk is full; free some space or choose another folder",
        ReadOnly or ReadOnlyOnWindows => "the file system is read-only; choose another folder",
        _ => exception is FileNotFoundException or DirectoryNotFoundException ? "the system makes no file there; choose another folder" : exception.Message.ReplaceLineEndings(" "),
    };
}
