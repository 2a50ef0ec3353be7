using Nibble.Files;

namespace Nibble.Tests.Files;

public class OutputFolderTests
{
    [Fact]
    public void A_folder_that_can_be_written_to_is_left_as_it_was()
    {
        using TemporaryFolder folder = new();
        folder.Write("old", "text");
        OutputFolder.Check(folder.At("new"));
        OutputFolder.Check(folder.At("old"));
        Assert.Equal(["old"], folder.Names);
        Assert.Equal("text", File.ReadAllText(folder.At("old")));
    }

    [Fact]
    public void What_cannot_be_written_is_refused()
    {
        using TemporaryFolder folder = new();
        Assert.Contains("is a folder", FileErrors.Of(folder.Path, () => OutputFolder.Check(folder.Path)), StringComparison.Ordinal);
        Assert.Contains("create it first", FileErrors.Of(folder.At("no/file"), () => OutputFolder.Check(folder.At("no/file"))), StringComparison.Ordinal);
        if (!OperatingSystem.IsLinux()) return;
        Assert.Contains("choose another folder", FileErrors.Of("/proc/model.gguf", () => OutputFolder.Check("/proc/model.gguf")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(28, "the disk is full")]
    [InlineData(30, "the file system is read-only")]
    public void Reasons_are_plain_words(int number, string part)
    {
        string reason = OutputFolder.Reason(new IOException("Text of the system : '/x'", number));
        Assert.Contains(part, reason, StringComparison.Ordinal);
        Assert.DoesNotContain("Text of the system", reason, StringComparison.Ordinal);
    }
}
