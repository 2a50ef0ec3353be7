using System.Text;
using System.Text.Json;
using Nibble.Files;
using Nibble.Files.Gguf;

namespace Nibble.Tests.Files.Gguf;

public sealed class GgufFileTests
{
    /// <summary>A file with a value of every type, nested arrays, and two tensors.</summary>
    internal static byte[] Sample(uint version, uint alignment) => GgufBytes.Start(version, 2, 17)
        .String("general.alignment").U32(4).U32(alignment)
        .String("u8").U32(0).U8(200)
        .String("i8").U32(1).U8(0x80)
        .String("u16").U32(2).U16(60000)
        .String("i16").U32(3).U16(0x8000)
        .String("u32").U32(4).U32(4_000_000_000)
        .String("i32").U32(5).U32(0x80000000)
        .String("f32").U32(6).U32(BitConverter.SingleToUInt32Bits(0.1f))
        .String("yes").U32(7).U8(1)
        .String("text").U32(8).String("naïve ∑")
        .String("u64").U32(10).U64(long.MaxValue)
        .String("i64").U32(11).U64(1UL << 63)
        .String("f64").U32(12).U64(BitConverter.DoubleToUInt64Bits(0.1))
        .String("strings").U32(9).U32(8).U64(3).String("a").String("").U64(2).Raw(0xFF, 0x61)
        .String("numbers").U32(9).U32(3).U64(2).U16(0xFFFF).U16(7)
        .String("nothing").U32(9).U32(4).U64(0)
        .String("nested").U32(9).U32(9).U64(2).U32(8).U64(1).String("in").U32(9).U64(1).U32(6).U64(1).U32(BitConverter.SingleToUInt32Bits(2.5f))
        .Tensor("first", [3, 2], 0, 0)
        .Tensor("second", [32, 2, 2], 8, alignment)
        .Pad((int)alignment)
        .Raw([.. Enumerable.Range(0, 24).Select(i => (byte)i)]).Pad((int)alignment)
        .Raw([.. Enumerable.Range(0, 136).Select(i => (byte)(i * 3))]).ToArray();

    [Theory]
    [InlineData(2, 32)]
    [InlineData(3, 32)]
    [InlineData(3, 64)]
    public void All_metadata_types_and_tensors_are_read(uint version, uint alignment)
    {
        using TemporaryFolder folder = new();
        using GgufFile file = GgufFile.Open(folder.Write("sample.gguf", Sample(version, alignment)));
        Assert.Equal($"GGUF v{version}", file.Container);
        AssertSampleMetadata(file.Metadata);

        Assert.Equal(["first", "second"], file.Tensors.Select(t => t.Name));
        TensorInfo first = file.Tensors[0], second = file.Tensors[1];
        Assert.Equal("F32", first.TypeName);
        Assert.Equal((3, 2, 24), (first.Columns, first.Rows, first.Bytes));
        Assert.Equal([12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23], file.Read(first, 1, 1).AsSpan<byte>().ToArray());
        Assert.Equal([32, 2, 2], second.Dimensions);
        Assert.Equal((4, 34, 136), (second.Rows, second.RowBytes, second.Bytes));
        Assert.Equal((byte)(34 * 3), file.Read(second, 1, 3).AsSpan<byte>()[0]);
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Read(second, 2, 3));
    }

    /// <summary>Values as <see cref="Sample"/> holds them, whatever was done to the file in between.</summary>
    internal static void AssertSampleMetadata(Metadata metadata)
    {
        Assert.Equal(17, metadata.Count);
        Assert.Equal(200, metadata.Integer("u8"));
        Assert.Equal(-128, metadata.Integer("i8"));
        Assert.Equal(60000, metadata.Integer("u16"));
        Assert.Equal(-32768, metadata.Integer("i16"));
        Assert.Equal(4_000_000_000, metadata.Integer("u32"));
        Assert.Equal(int.MinValue, metadata.Integer("i32"));
        Assert.Equal(0.1f, metadata.Float("f32"));
        Assert.True(metadata.Bool("yes"));
        Assert.Equal("naïve ∑", metadata.String("text"));
        Assert.Equal(long.MaxValue, metadata.Integer("u64"));
        Assert.Equal(long.MinValue, metadata.Integer("i64"));
        Assert.Equal(0.1, metadata.Float("f64"));
        Assert.Equal([-1, 7], metadata.Integers("numbers")!);
        Assert.Empty(metadata.Integers("nothing")!);
        Assert.Equal(["a", "", "\ufffda"], metadata.Strings("strings")!);
        Assert.True(metadata.TryGet("strings", out MetadataValue? strings));
        Assert.Equal(new byte[] { 0xFF, 0x61 }, strings.AsByteStrings()[2].ToArray());
        Assert.True(metadata.TryGet("nested", out MetadataValue? nested));
        MetadataValue[] inner = nested.AsArrays();
        Assert.Equal(["in"], inner[0].AsStrings());
        Assert.Equal([2.5f], Assert.Single(inner[1].AsArrays()).AsFloats());
        Assert.Null(metadata.Integer("absent"));
        Assert.Contains("'text'", Assert.Throws<NibbleException>(() => metadata.Integer("text")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Positions_beyond_four_gigabytes_are_reached()
    {
        using TemporaryFolder folder = new();
        const long Columns = 4096, Rows = 400_000; // 6.5 GB, none of which a sparse file occupies
        byte[] header = GgufBytes.WithArchitecture(2).Tensor("large", [Columns, Rows], 0, 0).Tensor("last", [8], 0, 4 * Columns * Rows).Pad().ToArray();
        string path = folder.Write("large.gguf", header);
        using (FileStream stream = File.OpenWrite(path))
        {
            stream.SetLength(header.Length + 4 * Columns * Rows + 32);
            stream.Seek(-64, SeekOrigin.End);
            stream.Write([.. Enumerable.Range(0, 64).Select(i => (byte)i)]);
        }
        using GgufFile file = GgufFile.Open(path);
        Assert.Equal([.. Enumerable.Range(0, 32).Select(i => (byte)i)], file.Read(file.Tensors[0], Rows - 1, 1).AsSpan<byte>()[^32..].ToArray());
        Assert.Equal([.. Enumerable.Range(32, 32).Select(i => (byte)i)], file.Read(file.Tensors[1]).AsSpan<byte>().ToArray());
        Assert.Equal(4 * Columns * Rows, file.Read(file.Tensors[0]).Length);
    }

    [Fact]
    public void Metadata_outlives_the_file()
    {
        using TemporaryFolder folder = new();
        GgufFile file = GgufFile.Open(folder.Write("sample.gguf", Sample(3, 32)));
        file.Dispose();
        AssertSampleMetadata(file.Metadata);
    }

    [Theory]
    [InlineData("odd")]
    [InlineData("deep")]
    public void Tensors_have_the_shapes_of_the_manifest(string name)
    {
        using GgufFile model = GgufFile.Open(Shared.Find($"golden/{name}.gguf"));
        using JsonDocument manifest = JsonDocument.Parse(File.ReadAllBytes(Shared.Find($"golden/{name}-manifest.json")));
        JsonElement tensors = manifest.RootElement.GetProperty("recipes").GetProperty("Q8_0").GetProperty("tensors");
        Assert.Equal(tensors.EnumerateObject().Select(t => t.Name).Order(), model.Tensors.Select(t => t.Name).Order());
        foreach (TensorInfo tensor in model.Tensors)
        {
            Assert.Equal(tensors.GetProperty(tensor.Name).GetProperty("shape").EnumerateArray().Select(d => d.GetInt64()), tensor.Dimensions);
            Assert.Equal(tensor.Bytes, model.Read(tensor).Length);
        }
    }

    [Fact]
    public void Real_vocabularies_read_as_a_second_reader_reads_them()
    {
        string folder = Shared.Find("tokenizers");
        string[] paths = Directory.GetFiles(folder, "*.gguf");
        Assert.NotEmpty(paths);
        foreach (string path in paths)
        {
            using GgufFile file = GgufFile.Open(path);
            using BinaryReader reader = new(File.OpenRead(path));
            Assert.Equal("GGUF"u8.ToArray(), reader.ReadBytes(4));
            Assert.Equal($"GGUF v{reader.ReadUInt32()}", file.Container);
            Assert.Equal(reader.ReadInt64(), file.Tensors.Count);
            Assert.Equal(reader.ReadInt64(), file.Metadata.Count);
            foreach ((string key, MetadataValue value) in file.Metadata)
            {
                Assert.Equal(Encoding.UTF8.GetString(reader.ReadBytes((int)reader.ReadInt64())), key);
                AssertSame(reader, reader.ReadUInt32(), value);
            }
        }
    }

    private static void AssertSame(BinaryReader reader, uint type, MetadataValue value)
    {
        Assert.Equal(type, (uint)value.Type);
        switch (type)
        {
            case 4: Assert.Equal(reader.ReadUInt32(), value.AsInteger()); break;
            case 6: Assert.Equal(reader.ReadSingle(), value.AsFloat()); break;
            case 7: Assert.Equal(reader.ReadByte() != 0, value.AsBool()); break;
            case 8: Assert.Equal(reader.ReadBytes((int)reader.ReadInt64()), value.Bytes.ToArray()); break;
            case 9:
                uint elementType = reader.ReadUInt32();
                int count = (int)reader.ReadInt64();
                Assert.Equal(count, value.Count);
                if (elementType == 8) Assert.Equal(Enumerable.Range(0, count).Select(_ => Encoding.UTF8.GetString(reader.ReadBytes((int)reader.ReadInt64()))), value.AsStrings());
                else if (elementType == 5) Assert.Equal(Enumerable.Range(0, count).Select(_ => (long)reader.ReadInt32()), value.AsIntegers());
                else if (elementType == 6) Assert.Equal(Enumerable.Range(0, count).Select(_ => reader.ReadSingle()), value.AsFloats());
                else Assert.Fail($"the second reader knows no arrays of {elementType}");
                break;
            default: Assert.Fail($"the second reader knows no type {type}"); break;
        }
    }
}
