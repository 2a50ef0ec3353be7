namespace Nibble.Tests.Cli;

/// <summary>Files that are missing or damaged: one line that names the file, exit code 1, nothing on standard output, nothing written.</summary>
public class RefusalTests
{
    /// <summary>Every command that opens a model, with FILE for it and OUT for a target.</summary>
    private static readonly string[] s_commands = ["show FILE", "show FILE --json", "quantize FILE Q4_0 -o OUT", "run FILE Hello", "perplexity FILE --text TEXT", "tokenize FILE Hello", "convert FILE -o OUT"];

    [Fact]
    public void A_missing_file() => Check(folder => folder.At("missing.gguf"), s_commands);

    [Fact]
    public void A_missing_folder() => Check(folder => folder.At("none/missing.gguf"), s_commands);

    [Fact]
    public void A_file_that_is_no_model() => Check(folder => folder.Write("notes.gguf", "This is a text and no model."), s_commands);

    [Fact]
    public void An_empty_file() => Check(folder => folder.Write("empty.gguf", ""), s_commands);

    [Fact]
    public void A_folder_without_a_model() => Check(folder => Directory.CreateDirectory(folder.At("nothing")).FullName, s_commands);

    [Fact]
    public void A_folder_with_a_configuration_alone() => Check(
        folder => { folder.Write("half/config.json", "{\"architectures\":[\"LlamaForCausalLM\"]}"); return folder.At("half"); }, s_commands);

    [Theory]
    [InlineData(3)]
    [InlineData(20)]
    [InlineData(100)]
    [InlineData(1_000)]
    [InlineData(60_000)]
    [InlineData(1_000_000)]
    [InlineData(-1)] // all but the last byte
    public void A_truncated_file(int length)
    {
        byte[] whole = File.ReadAllBytes(SampleModel.At("Q4_0"));
        Check(folder => folder.Write("cut.gguf", whole.AsSpan(0, length < 0 ? whole.Length + length : length)), ["show FILE", "quantize FILE F16 --allow-requantize -o OUT", "run FILE Hello"]);
    }

    [Fact]
    public void An_absurd_count() => Check(
        folder => folder.Write("absurd.gguf", Files.Gguf.GgufBytes.Start(3, 1UL << 60, 1UL << 62).Zeros(64).ToArray()), ["show FILE", "quantize FILE -o OUT"]);

    [Fact]
    public void An_unknown_architecture() =>
        Check(folder => new Models.RandomModel("mamba").Build().Save(folder.At("mamba.gguf")), ["run FILE Hello", "perplexity FILE --text TEXT"]);

    [Fact]
    public void A_text_that_cannot_be_read()
    {
        using TemporaryFolder folder = new();
        string model = SampleModel.At("Q8_0"), empty = folder.Write("empty.txt", ""), missing = folder.At("missing.txt"), shortText = folder.Write("short.txt", "Too short.");
        foreach (string path in new[] { empty, missing, folder.Path })
        {
            Assert.Contains(path, NibbleProcess.Run("perplexity", model, "--text", path).Refusal(), StringComparison.Ordinal);
            Assert.Contains(path, NibbleProcess.Run("run", model, "--file", path).Refusal(), StringComparison.Ordinal);
        }
        Assert.Contains("--ctx", NibbleProcess.Run("perplexity", model, "--text", shortText).Refusal(), StringComparison.Ordinal);
        Assert.Contains("--windows", NibbleProcess.Run("perplexity", model, "--text", shortText, "--windows", "0").Refusal(), StringComparison.Ordinal);
        Assert.Contains("--file", NibbleProcess.Run("run", model, "Hello", "--file", shortText).Refusal(), StringComparison.Ordinal);
        Assert.Contains("--prompt", NibbleProcess.Run("run", model, "Hello", "--prompt", "Hello").Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_prompt_longer_than_the_context()
    {
        Assert.Contains("--ctx", NibbleProcess.Run("run", SampleModel.At("Q8_0"), string.Concat(Enumerable.Repeat("word ", 500))).Refusal(), StringComparison.Ordinal);
        Assert.Contains("--ctx", NibbleProcess.Run("run", SampleModel.At("Q8_0"), string.Concat(Enumerable.Repeat("word ", 500)), "--json").Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_target_that_cannot_be_written()
    {
        using TemporaryFolder folder = new();
        string below = Path.Combine(folder.Write("file", "x"), "out.gguf");
        List<string> targets = [below, folder.At("none/out.gguf"), folder.Path];
        if (OperatingSystem.IsLinux()) targets.Add("/proc/out.gguf");
        foreach (string target in targets)
            Assert.Contains(target, NibbleProcess.Run("quantize", SampleModel.At("F32"), "Q4_0", "-o", target).Refusal(), StringComparison.Ordinal);
        Assert.Contains(folder.At("file"), NibbleProcess.Run("tour", SampleModel.At("F32"), "-o", folder.At("file")).Refusal(), StringComparison.Ordinal);
        Assert.Equal(["file"], folder.Names);
    }

    [Fact]
    public void An_unknown_type_and_a_quantized_source()
    {
        using TemporaryFolder folder = new();
        Assert.Contains("Q4_K_M", NibbleProcess.Run("quantize", SampleModel.At("F32"), "Q4_K_X", "-o", folder.At("a.gguf")).Refusal(), StringComparison.Ordinal);
        Assert.Contains("--allow-requantize", NibbleProcess.Run("quantize", SampleModel.At("Q8_0"), "Q4_0", "-o", folder.At("a.gguf")).Refusal(), StringComparison.Ordinal);
        Assert.Contains("Q8_0", NibbleProcess.Run("convert", SampleModel.At("Q8_0"), "-o", folder.At("a.gguf")).Refusal(), StringComparison.Ordinal);
        Assert.Contains("Q4_K_X", NibbleProcess.Run("tour", "--types", "Q8_0,Q4_K_X", "-o", folder.At("tour")).Refusal(), StringComparison.Ordinal);
        Assert.Empty(folder.Names);
    }

    [Fact]
    public void Tokens_that_are_none()
    {
        Assert.Contains("'x'", NibbleProcess.Run("tokenize", SampleModel.At("Q8_0"), "--decode", "5 x").Refusal(), StringComparison.Ordinal);
        Assert.Contains("99999", NibbleProcess.Run("tokenize", SampleModel.At("Q8_0"), "--decode", "99999").Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_full_disk()
    {
        // Needs the right to mount a file system of 4 MB.
        using TemporaryFolder folder = new();
        string disk = Directory.CreateDirectory(folder.At("disk")).FullName;
        Assert.SkipUnless(OperatingSystem.IsLinux() && Call("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk), "no small file system can be mounted here");
        try
        {
            Assert.Contains(Path.Combine(disk, "out.gguf"), NibbleProcess.Run("quantize", SampleModel.At("F32"), "Q8_0", "-o", Path.Combine(disk, "out.gguf")).Refusal(), StringComparison.Ordinal);
            Assert.Empty(Directory.EnumerateFileSystemEntries(disk));
            NibbleProcess.Run("quantize", SampleModel.At("F32"), "Q2_K", "-o", Path.Combine(disk, "out.gguf")).Success();
        }
        finally
        {
            Assert.True(Call("umount", disk));
        }
    }

    private static bool Call(string program, params string[] arguments)
    {
        using System.Diagnostics.Process process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    private static void Check(Func<TemporaryFolder, string> create, string[] commands)
    {
        using TemporaryFolder folder = new();
        string path = create(folder), text = folder.Write("text.txt", "A text of a few words.");
        string[] before = folder.Names;
        foreach (string command in commands)
        {
            string[] arguments = [.. command.Split(' ').Select(a => a switch { "FILE" => path, "OUT" => folder.At("out.gguf"), "TEXT" => text, _ => a })];
            Assert.Contains(path, NibbleProcess.Run(arguments).Refusal(), StringComparison.Ordinal);
        }
        Assert.Equal(before, folder.Names);
    }
}
