namespace Nibble.Tests.Files;

/// <summary>What every error about a file must be like.</summary>
internal static class FileErrors
{
    /// <summary>Runs what must fail and returns the message, which must be one line that starts with the file's path.</summary>
    public static string Of(string path, Action open)
    {
        NibbleException error = Assert.Throws<NibbleException>(open);
        Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(error.Message, char.IsControl);
        Assert.True(error.Message.Length < path.Length + 400, error.Message);
        return error.Message;
    }

    /// <summary>
    /// Opens a file that may be damaged: it may succeed or fail with one clear line, nothing else, and may not allocate
    /// more than a small multiple of the file's size.
    /// </summary>
    public static void SuccessOrOneLine(string path, Action open)
    {
        long allowed = 100_000 + 20 * new FileInfo(path).Length;
        long before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            open();
        }
        catch (NibbleException error)
        {
            Assert.DoesNotContain(error.Message, char.IsControl);
        }
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(allocated < allowed, $"{allocated} bytes were allocated for a file of {new FileInfo(path).Length}");
    }
}
