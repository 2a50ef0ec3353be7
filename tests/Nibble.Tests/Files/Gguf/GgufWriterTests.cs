using Nibble.Files;
using Nibble.Files.Gguf;
using Nibble.Formats;

namespace Nibble.Tests.Files.Gguf;

public sealed class GgufWriterTests
{
    [Theory]
    [InlineData(2, 32)]
    [InlineData(3, 32)]
    [InlineData(3, 64)]
    public void A_copy_has_the_same_content(uint version, uint alignment)
    {
        using TemporaryFolder folder = new();
        byte[] original = GgufFileTests.Sample(version, alignment);
        string source = folder.Write("source.gguf", original), target = folder.At("target.gguf");
        using (GgufFile file = GgufFile.Open(source)) Copy(file, target);

        byte[] copy = File.ReadAllBytes(target);
        Assert.Equal(3, copy[4]);
        original[4] = 3; // versions 2 and 3 differ in nothing else
        Assert.Equal(original, copy[..original.Length]);
        Assert.All(copy[original.Length..], b => Assert.Equal(0, b)); // the last tensor is padded too
        Assert.Equal(0, copy.Length % alignment);
        using GgufFile again = GgufFile.Open(target);
        GgufFileTests.AssertSampleMetadata(again.Metadata);
        Assert.Equal(["source.gguf", "target.gguf"], folder.Names);
    }

    [Fact]
    public void A_file_can_be_rewritten_from_itself()
    {
        using TemporaryFolder folder = new();
        string path = folder.Write("model.gguf", GgufFileTests.Sample(3, 32));
        using (GgufFile file = GgufFile.Open(path)) Copy(file, path);
        using GgufFile again = GgufFile.Open(path);
        GgufFileTests.AssertSampleMetadata(again.Metadata);
        Assert.Equal(["model.gguf"], folder.Names);
    }

    [Fact]
    public void Total_is_known_before_the_first_tensor()
    {
        using TemporaryFolder folder = new();
        string path = folder.At("out.gguf");
        Metadata metadata = new("test") { ["general.architecture"] = MetadataValue.Of("llama"), ["names"] = MetadataValue.Of(["a", "bc"]) };
        using GgufWriter writer = GgufWriter.Create(path, metadata, [Tensor("a", [5, 3], "F32"), Tensor("b", [64], "Q8_0"), Tensor("ids", [7], "I32")]);
        long total = writer.TotalBytes;
        Assert.Equal(["a", "b", "ids"], Enumerable.Range(0, 3).Select(_ =>
        {
            string name = writer.Current!.Name;
            foreach (byte[] piece in new byte[writer.Current.Bytes].Chunk(13)) writer.Write(piece);
            return name;
        }));
        Assert.Null(writer.Current);
        Assert.Equal(total, writer.WrittenBytes);
        Assert.False(File.Exists(path));
        writer.Commit();
        Assert.Equal(total, new FileInfo(path).Length);
        using GgufFile file = GgufFile.Open(path);
        Assert.Equal(["F32", "Q8_0", "I32"], file.Tensors.Select(t => t.TypeName));
        Assert.Null(file.Tensors[2].Format);
    }

    [Fact]
    public void Interrupted_writing_leaves_nothing_and_spares_the_old_file()
    {
        using TemporaryFolder folder = new();
        string path = folder.Write("out.gguf", "old");
        using (GgufWriter writer = GgufWriter.Create(path, new Metadata("test"), [Tensor("a", [1 << 20], "F32")]))
        {
            writer.Write(new byte[100_000]);
            Assert.Equal(2, folder.Names.Length);
            Assert.Contains(folder.Names, name => name.StartsWith(".out.gguf.partial-", StringComparison.Ordinal));
            Assert.Throws<InvalidOperationException>(writer.Commit);
        }
        Assert.Equal(["out.gguf"], folder.Names);
        Assert.Equal("old", File.ReadAllText(path));
    }

    [Fact]
    public void A_tensor_takes_exactly_its_bytes()
    {
        using TemporaryFolder folder = new();
        using GgufWriter writer = GgufWriter.Create(folder.At("out.gguf"), new Metadata("test"), [Tensor("a", [4], "F32")]);
        Assert.Throws<InvalidOperationException>(() => writer.Write(new byte[17]));
        writer.Write(new byte[16]);
        Assert.Throws<InvalidOperationException>(() => writer.Write(new byte[1]));
    }

    [Fact]
    public void Targets_that_cannot_be_written_end_in_one_line()
    {
        using TemporaryFolder folder = new();
        string absent = folder.At("absent/out.gguf"), full = folder.At("full.gguf");
        Assert.Contains("create it first", FileErrors.Of(absent, () => Create(absent, 4)), StringComparison.Ordinal);
        Assert.Contains("is a folder", FileErrors.Of(folder.Path, () => Create(folder.Path, 4)), StringComparison.Ordinal);
        Assert.Contains("the disk is full", FileErrors.Of(full, () => Create(full, 1L << 55)), StringComparison.Ordinal);
        if (OperatingSystem.IsLinux()) Assert.Contains("device", FileErrors.Of("/dev/null", () => Create("/dev/null", 4)), StringComparison.Ordinal);
        Assert.Empty(folder.Names);
    }

    [Fact]
    public void Tensors_that_GGUF_cannot_hold_end_in_one_line()
    {
        using TemporaryFolder folder = new();
        string path = folder.At("out.gguf");
        AssertRefused("63", Tensor(new string('n', 64), [4], "F32"));
        AssertRefused("dimensions", Tensor("a", [1, 1, 1, 1, 4], "F32"));
        AssertRefused("two tensors", Tensor("a", [4], "F32"), Tensor("a", [4], "F32"));
        AssertRefused("no type 'F8_E4M3'", new TensorInfo("a", [4], "F8_E4M3", null, 4));
        AssertRefused("multiple of 32", new TensorInfo("a", [48], "Q8_0", WeightFormat.Of<Q8_0>(), 51));
        Assert.Empty(folder.Names);

        void AssertRefused(string expected, params TensorInfo[] tensors) =>
            Assert.Contains(expected, FileErrors.Of(path, () => GgufWriter.Create(path, new Metadata("test"), tensors)), StringComparison.Ordinal);
    }

    private static void Create(string path, long columns) => GgufWriter.Create(path, new Metadata("test"), [Tensor("a", [columns], "F32")]).Dispose();

    private static TensorInfo Tensor(string name, long[] dimensions, string type)
    {
        long count = dimensions.Aggregate(1L, (a, b) => a * b);
        return WeightFormat.TryParse(type, out WeightFormat? format)
            ? new(name, dimensions, type, format, format.ByteSize(count))
            : new(name, dimensions, type, null, 4 * count); // I32
    }

    private static void Copy(GgufFile source, string target)
    {
        using GgufWriter writer = GgufWriter.Create(target, source.Metadata, source.Tensors);
        foreach (TensorInfo tensor in source.Tensors)
            for (long row = 0; row < tensor.Rows; row++) writer.Write(source.Read(tensor, row, 1).AsSpan<byte>());
        writer.Commit();
    }
}
