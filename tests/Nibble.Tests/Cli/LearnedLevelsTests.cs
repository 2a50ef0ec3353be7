namespace Nibble.Tests.Cli;

/// <summary>The format that other tools do not know, on the command line.</summary>
public class LearnedLevelsTests
{
    [Fact]
    public void Show_says_that_other_tools_cannot_read_the_file()
    {
        string[] lines = NibbleProcess.Run("show", SampleModel.At("K4_CB")).Success().Output.Split('\n');
        Assert.Single(lines, line => line.Contains("other tools", StringComparison.Ordinal) && line.Contains("cannot read this file: K4_CB is read by Nibble alone", StringComparison.Ordinal));
        Assert.DoesNotContain("other tools", NibbleProcess.Run("show", SampleModel.At("Q4_0")).Success().Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Convert_makes_a_file_that_all_can_read()
    {
        using TemporaryFolder folder = new();
        NibbleProcess.Run("convert", SampleModel.At("K4_CB"), "--type", "f16", "-o", folder.At("plain.gguf")).Success();
        string shown = NibbleProcess.Run("show", folder.At("plain.gguf")).Success().Output;
        Assert.DoesNotContain("K4_CB", shown, StringComparison.Ordinal);
        Assert.Contains("F16", shown, StringComparison.Ordinal);
    }

    [Fact]
    public void A_dry_run_promises_the_size_that_is_written()
    {
        using TemporaryFolder folder = new();
        string promised = NibbleProcess.Run("quantize", SampleModel.At("F32"), "k4_cb", "-o", folder.At("out.gguf"), "--dry-run").Success().Output;
        Assert.Contains($"K4_CB, {new FileInfo(SampleModel.At("K4_CB")).Length} bytes", promised, StringComparison.Ordinal);
    }
}
