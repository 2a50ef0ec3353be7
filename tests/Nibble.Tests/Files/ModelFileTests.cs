using Nibble.Files;

namespace Nibble.Tests.Files;

public sealed class ModelFileTests
{
    public static TheoryData<string, byte[], string> Others => new()
    {
        { "empty.gguf", [], "empty" },
        { "model.bin", [.. "PK\u0003\u0004"u8, 1, 2, 3, 4], "zip" },
        { "model.pt", [0x80, 2, 0x8a, 10], "pickle" },
        { "model.gguf", "<!DOCTYPE html><html>"u8.ToArray(), "web page" },
        { "model.gguf", "<html lang=en>"u8.ToArray(), "web page" },
        { "model.gguf", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n"u8.ToArray(), "git lfs pull" },
        { "model.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n"u8.ToArray(), "git lfs pull" },
        { "old.bin", [.. "tjgg"u8, 3, 0, 0, 0], "older than GGUF" },
        { "model.gguf", "GGUX"u8.ToArray(), "no GGUF file" },
        { "model.safetensors", [1, 2, 3], "truncated" },
        { "notes.txt", "Hello, these are notes."u8.ToArray(), "no model" },
        { "big.gguf", [.. "FUGG"u8, 0, 0, 0, 3], "big-endian" },
    };

    [Theory]
    [MemberData(nameof(Others))]
    public void Files_that_are_no_models_say_what_they_are(string name, byte[] content, string expected)
    {
        using TemporaryFolder folder = new();
        string path = folder.Write(name, content);
        Assert.Contains(expected, FileErrors.Of(path, () => ModelFile.Open(path)), StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_files_are_named()
    {
        using TemporaryFolder folder = new();
        foreach (string name in new[] { "absent.gguf", "absent/model.safetensors", "config.json" })
            Assert.Contains("no such file", FileErrors.Of(folder.At(name), () => ModelFile.Open(folder.At(name))), StringComparison.Ordinal);
        Assert.Throws<NibbleException>(() => ModelFile.Open(""));
        Assert.Throws<NibbleException>(() => ModelFile.Open("a\0b"));
    }

    [Fact]
    public void The_container_is_found_by_the_first_bytes()
    {
        using TemporaryFolder folder = new();
        using ModelFile gguf = ModelFile.Open(folder.Write("one", Gguf.GgufFileTests.Sample(3, 32)));
        Assert.Equal("GGUF v3", gguf.Container);
        using ModelFile safetensors = ModelFile.Open(folder.Write("two", Safetensors.SafetensorsBytes.Of(("a", "F32", [1], new byte[4]))));
        Assert.Equal("safetensors", safetensors.Container);
    }
}
