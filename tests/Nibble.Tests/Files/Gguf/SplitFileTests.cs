using Nibble.Files.Gguf;

namespace Nibble.Tests.Files.Gguf;

public sealed class SplitFileTests
{
    private static byte[] Part(int number, int count, string tensor, int tensors = 3, ushort? stated = null) => GgufBytes.Start(3, 1, 4)
        .String("general.architecture").U32(8).String("llama")
        .String("split.no").U32(2).U16(stated ?? (ushort)(number - 1))
        .String("split.count").U32(2).U16((ushort)count)
        .String("split.tensors.count").U32(5).U32((uint)tensors)
        .Tensor(tensor, [8], 0, 0).Pad().Raw((byte)number).Zeros(31).ToArray();

    private static void WriteParts(TemporaryFolder folder)
    {
        for (int i = 1; i <= 3; i++) folder.Write($"big-0000{i}-of-00003.gguf", Part(i, 3, $"t{i}"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Any_part_opens_the_whole_model(int opened)
    {
        using TemporaryFolder folder = new();
        WriteParts(folder);
        using GgufFile file = GgufFile.Open(folder.At($"big-0000{opened}-of-00003.gguf"));
        Assert.Equal("GGUF v3 in 3 parts", file.Container);
        Assert.Equal(["t1", "t2", "t3"], file.Tensors.Select(t => t.Name));
        for (int i = 0; i < 3; i++) Assert.Equal(i + 1, file.Read(file.Tensors[i]).AsSpan<byte>()[0]);

        using GgufWriter writer = GgufWriter.Create(folder.At("joined.gguf"), file.Metadata, file.Tensors);
        foreach (Nibble.Files.TensorInfo tensor in file.Tensors) writer.Write(file.Read(tensor).AsSpan<byte>());
        writer.Commit();
        using GgufFile joined = GgufFile.Open(folder.At("joined.gguf"));
        Assert.Equal("GGUF v3", joined.Container);
        Assert.Equal(3, joined.Tensors.Count);
    }

    [Fact]
    public void A_missing_part_is_named()
    {
        using TemporaryFolder folder = new();
        WriteParts(folder);
        string missing = folder.At("big-00002-of-00003.gguf");
        File.Delete(missing);
        Assert.Contains("download the missing part", FileErrors.Of(missing, () => GgufFile.Open(folder.At("big-00003-of-00003.gguf"))), StringComparison.Ordinal);
    }

    [Fact]
    public void Parts_that_do_not_belong_together_end_in_one_line()
    {
        using TemporaryFolder folder = new();
        WriteParts(folder);
        string first = folder.At("big-00001-of-00003.gguf");
        string second = folder.Write("big-00002-of-00003.gguf", Part(2, 3, "t1"));
        Assert.Contains("'t1'", FileErrors.Of(second, () => GgufFile.Open(first)), StringComparison.Ordinal);
        folder.Write("big-00002-of-00003.gguf", Part(2, 3, "t2", stated: 2));
        Assert.Contains("not part 2", FileErrors.Of(second, () => GgufFile.Open(first)), StringComparison.Ordinal);
        folder.Write("big-00002-of-00003.gguf", Part(2, 4, "t2"));
        Assert.Contains("not part 2", FileErrors.Of(second, () => GgufFile.Open(first)), StringComparison.Ordinal);
        WriteParts(folder);
        folder.Write("big-00001-of-00003.gguf", Part(1, 3, "t1", tensors: 99));
        Assert.Contains("99 tensors", FileErrors.Of(first, () => GgufFile.Open(first)), StringComparison.Ordinal);
        string renamed = folder.Write("renamed.gguf", Part(1, 3, "t1"));
        Assert.Contains("names back", FileErrors.Of(renamed, () => GgufFile.Open(renamed)), StringComparison.Ordinal);
    }
}
