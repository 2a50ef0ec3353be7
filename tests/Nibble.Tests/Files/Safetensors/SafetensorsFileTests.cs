using Nibble.Files;
using Nibble.Files.Safetensors;
using Nibble.Formats;

namespace Nibble.Tests.Files.Safetensors;

public sealed class SafetensorsFileTests
{
    private const string Sample = """
        {"__metadata__":{"format":"pt","note":"naïve ∑"},
         "b":{"dtype":"F32","shape":[2,3],"data_offsets":[8,32]},
         "a":{"dtype":"I64","shape":[],"data_offsets":[0,8]},
         "c":{"dtype":"BF16","shape":[2,2,1],"data_offsets":[32,40],"later":{"x":[1]}},
         "d":{"dtype":"U8","shape":[0,5],"data_offsets":[40,40]},
         "e":{"dtype":"F4","shape":[6],"data_offsets":[40,43]}}
        """;

    [Fact]
    public void Tensors_and_metadata_are_read_in_the_order_of_the_data()
    {
        using TemporaryFolder folder = new();
        byte[] content = SafetensorsBytes.Of(Sample, 43);
        for (int i = 0; i < 43; i++) content[^(43 - i)] = (byte)i;
        using SafetensorsFile file = SafetensorsFile.Open(folder.Write("sample.safetensors", content));
        Assert.Equal("safetensors", file.Container);
        Assert.Equal("pt", file.Metadata.String("format"));
        Assert.Equal("naïve ∑", file.Metadata.String("note"));
        Assert.Equal(["a", "b", "c", "d", "e"], file.Tensors.Select(t => t.Name));
        Assert.Equal([3, 2], file.Find("b")!.Dimensions);
        Assert.Equal([1, 2, 2], file.Find("c")!.Dimensions);
        Assert.Equal([1], file.Find("a")!.Dimensions);
        Assert.Same(WeightFormat.Of<F32>(), file.Find("b")!.Format);
        Assert.Same(WeightFormat.Of<BF16>(), file.Find("c")!.Format);
        Assert.Null(file.Find("a")!.Format);
        Assert.Equal([20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31], file.Read(file.Find("b")!, 1, 1).AsSpan<byte>().ToArray());
        Assert.Equal(0, file.Read(file.Find("d")!).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Read(file.Find("b")!, 1, 2));
    }

    [Fact]
    public void Golden_tensors_equal_a_second_reading()
    {
        foreach (string name in new[] { "formats", "tiny-logits", "tiny-imatrix" })
        {
            string path = Shared.Find($"golden/{name}.safetensors");
            GoldenTensors expected = GoldenTensors.Read(path);
            using SafetensorsFile file = SafetensorsFile.Open(path);
            Assert.Equal(expected.Names.Order(StringComparer.Ordinal), file.Tensors.Select(t => t.Name).Order(StringComparer.Ordinal));
            foreach (TensorInfo tensor in file.Tensors)
            {
                Assert.Equal(expected.Shape(tensor.Name).Reverse().Select(d => (long)d), tensor.Dimensions);
                Assert.True(expected.Bytes(tensor.Name).SequenceEqual(file.Read(tensor).AsSpan<byte>()), tensor.Name);
            }
        }
    }

    [Fact]
    public void What_is_written_is_read_again()
    {
        using TemporaryFolder folder = new();
        string source = folder.Write("source.safetensors", SafetensorsBytes.Of(Sample, 43)), target = folder.At("target.safetensors");
        using SafetensorsFile file = SafetensorsFile.Open(source);
        using (SafetensorsWriter writer = SafetensorsWriter.Create(target, new Dictionary<string, string> { ["note"] = "naïve \"∑\"" }, file.Tensors))
        {
            foreach (TensorInfo tensor in file.Tensors) writer.Write(file.Read(tensor).AsSpan<byte>());
            Assert.Null(writer.Current);
            Assert.Equal(writer.TotalBytes, writer.WrittenBytes);
            Assert.False(File.Exists(target));
            writer.Commit();
            Assert.Equal(writer.TotalBytes, new FileInfo(target).Length);
        }
        using SafetensorsFile again = SafetensorsFile.Open(target);
        Assert.Equal("naïve \"∑\"", again.Metadata.String("note"));
        Assert.Equal(file.Tensors.Select(t => (t.Name, t.TypeName, t.Bytes)), again.Tensors.Select(t => (t.Name, t.TypeName, t.Bytes)));
        foreach (TensorInfo tensor in file.Tensors)
        {
            Assert.Equal(tensor.Dimensions, again.Find(tensor.Name)!.Dimensions);
            Assert.True(file.Read(tensor).AsSpan<byte>().SequenceEqual(again.Read(again.Find(tensor.Name)!).AsSpan<byte>()));
        }
        Assert.Equal(["a", "b"], GoldenTensors.Read(target).Names.Take(2)); // a second reader reads it too
    }

    [Fact]
    public void Interrupted_writing_leaves_nothing()
    {
        using TemporaryFolder folder = new();
        TensorInfo tensor = new("a", [4], "F32", WeightFormat.Of<F32>(), 16);
        using (SafetensorsWriter writer = SafetensorsWriter.Create(folder.At("out.safetensors"), new Dictionary<string, string>(), [tensor]))
        {
            writer.Write(new byte[12]);
            Assert.Throws<InvalidOperationException>(() => writer.Write(new byte[5]));
            Assert.Throws<InvalidOperationException>(writer.Commit);
        }
        Assert.Empty(folder.Names);
        string path = folder.At("out.safetensors");
        FileErrors.Of(path, () => SafetensorsWriter.Create(path, new Dictionary<string, string>(), [tensor with { TypeName = "Q8_0" }]));
        FileErrors.Of(path, () => SafetensorsWriter.Create(path, new Dictionary<string, string>(), [tensor, tensor]));
        FileErrors.Of(path, () => SafetensorsWriter.Create(path, new Dictionary<string, string>(), [tensor with { Name = "__metadata__" }]));
    }

    private static readonly Dictionary<string, (byte[] File, string Expected)> s_cases = new()
    {
        ["empty file"] = ([], "empty"),
        ["five bytes"] = ([1, 0, 0, 0, 0], "truncated"),
        ["header of 2^63 bytes"] = ([0, 0, 0, 0, 0, 0, 0, 0x80, (byte)'{', (byte)'}'], "9,223,372,036,854,775,808"),
        ["header longer than the file"] = ([100, 0, 0, 0, 0, 0, 0, 0, (byte)'{', (byte)'}'], "truncated"),
        ["Git LFS pointer"] = ("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"u8.ToArray(), "git lfs pull"),
        ["no JSON"] = (SafetensorsBytes.Of("{\"a\":", 0), "JSON"),
        ["a list"] = (SafetensorsBytes.Of("[1]", 0), "form"),
        ["two objects"] = (SafetensorsBytes.Of("{}{}", 0), "JSON"),
        ["half of a surrogate pair"] = (SafetensorsBytes.Of("{\"\\ud800\":{}}", 0), "JSON"),
        ["no UTF-8"] = ([.. SafetensorsBytes.Of("{\"aa\":{}}", 0)[..10], 0xC3, 0x28, .. "\":{}}"u8], "JSON"),
        ["nested 1000 deep"] = (SafetensorsBytes.Of($"{{\"a\":{{\"x\":{new string('[', 1000)}", 0), "JSON"),
        ["tensor that is a number"] = (SafetensorsBytes.Of("{\"a\":1}", 0), "no description"),
        ["tensor without a name"] = (SafetensorsBytes.Of("{\"\":{}}", 0), "no name"),
        ["no dtype"] = (One("""{"shape":[1],"data_offsets":[0,4]}""", 4), "lacks"),
        ["dtype that is a number"] = (One("""{"dtype":1,"shape":[1],"data_offsets":[0,4]}""", 4), "lacks"),
        ["no shape"] = (One("""{"dtype":"F32","data_offsets":[0,4]}""", 4), "lacks"),
        ["one offset"] = (One("""{"dtype":"F32","shape":[1],"data_offsets":[0]}""", 4), "lacks"),
        ["unknown dtype"] = (One("""{"dtype":"Q4","shape":[1],"data_offsets":[0,4]}""", 4), "known types: BOOL"),
        ["negative size"] = (One("""{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}""", 4), "'-1'"),
        ["size 1.5"] = (One("""{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}""", 4), "'1.5'"),
        ["size 2^70"] = (One("""{"dtype":"F32","shape":[1180591620717411303424],"data_offsets":[0,4]}""", 4), "size or offset"),
        ["product that wraps to 1"] = (One("""{"dtype":"F32","shape":[4294967296,4294967296,1],"data_offsets":[0,4]}""", 4), "larger than any file"),
        ["product that overflows behind a zero"] = (One("""{"dtype":"F32","shape":[0,4611686018427387904,4611686018427387904],"data_offsets":[0,0]}""", 0), "larger than any file"),
        ["shape and bytes disagree"] = (One("""{"dtype":"F32","shape":[2],"data_offsets":[0,4]}""", 4), "do not fill"),
        ["odd number of half bytes"] = (One("""{"dtype":"F4","shape":[3],"data_offsets":[0,1]}""", 1), "do not fill"),
        ["end before start"] = (One("""{"dtype":"F32","shape":[1],"data_offsets":[4,0]}""", 4), "do not fill"),
        ["data past the end"] = (One("""{"dtype":"F32","shape":[100],"data_offsets":[0,400]}""", 40), "truncated"),
        ["data that belongs to nothing"] = (One("""{"dtype":"F32","shape":[1],"data_offsets":[0,4]}""", 8), "belong to no tensor"),
        ["hole before the data"] = (One("""{"dtype":"F32","shape":[1],"data_offsets":[4,8]}""", 8), "does not follow"),
        ["tensors overlap"] = (SafetensorsBytes.Of("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12), "overlaps"),
        ["tensor twice"] = (SafetensorsBytes.Of("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""", 2), "twice"),
        ["metadata twice"] = (SafetensorsBytes.Of("""{"__metadata__":{"k":"a","k":"b"}}""", 0), "twice"),
        ["metadata that is no text"] = (SafetensorsBytes.Of("""{"__metadata__":{"k":1}}""", 0), "no text"),
    };

    public static TheoryData<string> Cases => [.. s_cases.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Malformed_file_ends_in_one_line(string name)
    {
        (byte[] content, string expected) = s_cases[name];
        using TemporaryFolder folder = new();
        string path = folder.Write("model.safetensors", content);
        Assert.Contains(expected, FileErrors.Of(path, () => SafetensorsFile.Open(path).Dispose()), StringComparison.Ordinal);
        FileErrors.SuccessOrOneLine(path, () => SafetensorsFile.Open(path).Dispose());
    }

    [Fact]
    public void Truncation_and_flipped_bytes_end_in_success_or_one_line()
    {
        using TemporaryFolder folder = new();
        byte[] whole = SafetensorsBytes.Of(Sample, 43);
        for (int length = 0; length < whole.Length; length++)
        {
            string path = folder.Write("cut.safetensors", whole.AsSpan(0, length));
            FileErrors.Of(path, () => SafetensorsFile.Open(path).Dispose());
        }
        Random random = new(99);
        for (int trial = 0; trial < 3000; trial++)
        {
            byte[] damaged = [.. whole];
            for (int flips = random.Next(1, 4); flips > 0; flips--) damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            string path = folder.Write("damaged.safetensors", damaged);
            FileErrors.SuccessOrOneLine(path, () =>
            {
                using SafetensorsFile file = SafetensorsFile.Open(path);
                foreach (TensorInfo tensor in file.Tensors) Assert.Equal(tensor.Bytes, file.Read(tensor).Length);
            });
        }
    }

    private static byte[] One(string description, int dataBytes) => SafetensorsBytes.Of($"{{\"a\":{description}}}", dataBytes);
}
