using Nibble.Files.Gguf;

namespace Nibble.Tests.Files.Gguf;

/// <summary>Malformed files: each must end in one line that names the file and says what is wrong.</summary>
public sealed class GgufHostileTests
{
    private const uint F32 = 0, Q8_0 = 8;

    private static readonly Dictionary<string, (GgufBytes File, string Expected)> s_cases = new()
    {
        ["empty file"] = (new(), "empty"),
        ["bad magic"] = (new GgufBytes().Text("GGML").U32(3).U64(0).U64(0), "no GGUF file"),
        ["three bytes"] = (new GgufBytes().Text("GGU"), "truncated"),
        ["swapped magic"] = (new GgufBytes().Text("FUGG").U32(3).U64(0).U64(0), "big-endian"),
        ["big-endian version"] = (GgufBytes.Start(3u << 24, 0, 0), "big-endian"),
        ["version 1"] = (GgufBytes.Start(1, 0, 0), "version 1"),
        ["version 0"] = (GgufBytes.Start(0, 0, 0), "version 0"),
        ["version 4"] = (GgufBytes.Start(4, 0, 0), "versions 2 and 3"),
        ["ends after version"] = (new GgufBytes().Text("GGUF").U32(3), "truncated"),
        ["2^60 tensors"] = (GgufBytes.Start(3, 1UL << 60, 0).Zeros(64), "1,152,921,504,606,846,976 tensors"),
        ["2^64 - 1 keys"] = (GgufBytes.Start(3, 0, ulong.MaxValue).Zeros(64), "metadata keys"),
        ["key of 2^63 bytes"] = (GgufBytes.Start(3, 0, 1).U64(1UL << 63).Zeros(64), "9,223,372,036,854,775,808"),
        ["empty key"] = (GgufBytes.Start(3, 0, 1).String("").U32(4).U32(1).Zeros(16), "is empty"),
        ["key of 65536 bytes"] = (GgufBytes.Start(3, 0, 1).String(new string('k', 65536)).U32(4).U32(1), "65,535"),
        ["key that is no UTF-8"] = (GgufBytes.Start(3, 0, 1).U64(2).Raw(0xC3, 0x28).U32(4).U32(1).Zeros(16), "UTF-8"),
        ["key twice"] = (GgufBytes.Start(3, 0, 2).String("a.b").U32(4).U32(1).String("a.b").U32(4).U32(2), "twice"),
        ["value type 13"] = (GgufBytes.Start(3, 0, 1).String("a").U32(13).Zeros(16), "type 13"),
        ["value of 2^63 bytes"] = (GgufBytes.Start(3, 0, 1).String("a").U32(8).U64(1UL << 63).Zeros(16), "'a'"),
        ["value cut short"] = (GgufBytes.Start(3, 0, 1).String("abcdef").U32(10).Zeros(7), "truncated"),
        ["array of 2^61 numbers"] = (GgufBytes.Start(3, 0, 1).String("a").U32(9).U32(10).U64(1UL << 61).Zeros(16), "elements"),
        ["array of 2^62 bytes"] = (GgufBytes.Start(3, 0, 1).String("a").U32(9).U32(0).U64(1UL << 62).Zeros(16), "elements"),
        ["array of unknown type"] = (GgufBytes.Start(3, 0, 1).String("a").U32(9).U32(77).U64(1).Zeros(16), "type 77"),
        ["array of strings past the end"] = (GgufBytes.Start(3, 0, 1).String("a").U32(9).U32(8).U64(2).String("x").U64(999), "999"),
        ["arrays nested 100 deep"] = (Nested(100), "deep"),
        ["alignment 0"] = (Aligned(0), "general.alignment is 0"),
        ["alignment 4"] = (Aligned(4), "power of two"),
        ["alignment 48"] = (Aligned(48), "power of two"),
        ["alignment 2^31"] = (Aligned(1u << 31), "power of two"),
        ["alignment that is text"] = (GgufBytes.Start(3, 0, 1).String("general.alignment").U32(8).String("32"), "general.alignment"),
        ["tensor without a name"] = (One("", [32], F32, 0), "is empty"),
        ["tensor name of 64 bytes"] = (One(new string('n', 64), [32], F32, 0), "at most 63"),
        ["tensor name of 2^63 bytes"] = (GgufBytes.WithArchitecture(1).U64(1UL << 63).Zeros(64), "9,223,372,036,854,775,808"),
        ["5 dimensions"] = (One("t", [1, 1, 1, 1, 1], F32, 0), "5 dimensions"),
        ["2^32 - 1 dimensions"] = (GgufBytes.WithArchitecture(1).String("t").U32(uint.MaxValue).Zeros(64), "4,294,967,295 dimensions"),
        ["dimension 0"] = (One("t", [32, 0], F32, 0), "size zero"),
        ["dimension 2^63"] = (One("t", [1UL << 63], F32, 0), "2^60"),
        ["product of 2^64"] = (One("t", [1UL << 32, 1UL << 32], F32, 0), "2^60"),
        ["product that wraps to 32"] = (One("t", [32, (1UL << 32) + 1, 1UL << 32, 1UL << 32], F32, 0), "2^60"),
        ["exabytes"] = (One("t", [1UL << 30, 1UL << 29], F32, 0), "truncated"),
        ["type 99"] = (One("t", [32], 99, 0), "type 99"),
        ["type 2^31"] = (One("t", [32], 1u << 31, 0), "known types: BF16"),
        ["retired type 4"] = (One("t", [32], 4, 0), "known types"),
        ["rows of half a block"] = (One("t", [48, 2], Q8_0, 0), "no multiple of the 32"),
        ["offset not aligned"] = (One("t", [32], F32, 16), "alignment of 32"),
        ["offset 2^63"] = (One("t", [32], F32, 1UL << 63), "offset"),
        ["offset past the end"] = (One("t", [32], F32, 1UL << 40), "truncated"),
        ["data cut short"] = (One("t", [4096], F32, 0), "download it again"),
        ["tensor twice"] = (Two("t", 0, "t", 128), "twice"),
        ["tensors overlap"] = (Two("a", 0, "b", 96), "overlaps"),
        ["tensors share their data"] = (Two("a", 0, "b", 0), "overlaps"),
        ["tensors out of order"] = (Two("a", 128, "b", 0), "overlaps"),
        ["a name with a line break"] = (One("a\nb\u001b[31m", [32, 0], F32, 0), @"'a\u000ab\u001b[31m'"),
    };

    public static TheoryData<string> Cases => [.. s_cases.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Malformed_file_ends_in_one_line(string name)
    {
        (GgufBytes file, string expected) = s_cases[name];
        using TemporaryFolder folder = new();
        string path = folder.Write("model.gguf", file.ToArray());
        Assert.Contains(expected, FileErrors.Of(path, () => GgufFile.Open(path).Dispose()), StringComparison.Ordinal);
        FileErrors.SuccessOrOneLine(path, () => GgufFile.Open(path).Dispose());
    }

    [Fact]
    public void Missing_file_and_folder_end_in_one_line()
    {
        using TemporaryFolder folder = new();
        Assert.Contains("no such file", FileErrors.Of(folder.At("absent.gguf"), () => GgufFile.Open(folder.At("absent.gguf"))), StringComparison.Ordinal);
        Assert.Contains("folder", FileErrors.Of(folder.Path, () => GgufFile.Open(folder.Path)), StringComparison.Ordinal);
    }

    [Fact]
    public void Truncation_at_any_byte_of_the_header_ends_in_one_line()
    {
        using TemporaryFolder folder = new();
        byte[] whole = GgufFileTests.Sample(version: 3, alignment: 64);
        for (int length = 0; length < whole.Length; length++)
        {
            string path = folder.Write("cut.gguf", whole.AsSpan(0, length));
            FileErrors.Of(path, () => GgufFile.Open(path).Dispose());
        }
    }

    [Fact]
    public void Flipped_bytes_end_in_success_or_one_line()
    {
        using TemporaryFolder folder = new();
        byte[] whole = GgufFileTests.Sample(version: 3, alignment: 32);
        Random random = new(20250611);
        for (int trial = 0; trial < 3000; trial++)
        {
            byte[] damaged = [.. whole];
            for (int flips = random.Next(1, 5); flips > 0; flips--) damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            string path = folder.Write("damaged.gguf", damaged);
            FileErrors.SuccessOrOneLine(path, () =>
            {
                using GgufFile file = GgufFile.Open(path);
                foreach (Nibble.Files.TensorInfo tensor in file.Tensors) Assert.Equal(tensor.Bytes, file.Read(tensor).Length);
                foreach ((_, Nibble.Files.MetadataValue value) in file.Metadata) Assert.NotNull(value.ToString());
            });
        }
    }

    [Fact]
    public void A_real_file_truncated_or_damaged_ends_in_success_or_one_line()
    {
        byte[] whole = File.ReadAllBytes(Shared.Find("golden/odd.gguf"));
        using TemporaryFolder folder = new();
        Random random = new(7);
        for (int trial = 0; trial < 100; trial++)
        {
            string cut = folder.Write("cut.gguf", whole.AsSpan(0, random.Next(whole.Length - 32)));
            FileErrors.Of(cut, () => GgufFile.Open(cut).Dispose());
            byte[] damaged = [.. whole];
            damaged[random.Next(4000)] ^= (byte)(1 << random.Next(8));
            string path = folder.Write("damaged.gguf", damaged);
            FileErrors.SuccessOrOneLine(path, () => GgufFile.Open(path).Dispose());
        }
    }

    private static GgufBytes One(string name, ulong[] dimensions, uint type, ulong offset) =>
        GgufBytes.WithArchitecture(1).Tensor(name, dimensions, type, offset).Pad().Zeros(256);

    private static GgufBytes Two(string first, ulong firstOffset, string second, ulong secondOffset) =>
        GgufBytes.WithArchitecture(2).Tensor(first, [32], F32, firstOffset).Tensor(second, [32], F32, secondOffset).Pad().Zeros(512);

    private static GgufBytes Aligned(uint alignment) => GgufBytes.Start(3, 0, 1).String("general.alignment").U32(4).U32(alignment);

    private static GgufBytes Nested(int depth)
    {
        GgufBytes file = GgufBytes.Start(3, 0, 1).String("a").U32(9);
        for (int i = 0; i < depth; i++) file.U32(9).U64(1);
        return file.U32(0).U64(1).Zeros(1);
    }
}
