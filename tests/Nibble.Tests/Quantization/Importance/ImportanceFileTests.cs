using System.Text;
using Nibble.Files;
using Nibble.Files.Gguf;
using Nibble.Quantization.Importance;
using Nibble.Tests.Files;

namespace Nibble.Tests.Quantization.Importance;

public class ImportanceFileTests
{
    private static readonly ImportanceOrigin s_here = new("model|x86", "ab", 32, IncludeOutput: false);

    [Theory]
    [InlineData("tiny")]
    [InlineData("odd")]
    [InlineData("deep")]
    public void The_older_form_gives_the_vectors_it_was_made_of(string model)
    {
        GoldenTensors golden = GoldenTensors.Read(Shared.Find($"golden/{model}-imatrix.safetensors"));
        ImportanceMatrix matrix = ImportanceFile.Read(Shared.Find($"golden/{model}-imatrix.dat"));
        Dictionary<string, float[]> means = matrix.Means();
        Assert.Equal(golden.Names.Order(StringComparer.Ordinal), means.Keys.Order(StringComparer.Ordinal));
        foreach ((string name, float[] mean) in means)
        {
            ReadOnlySpan<float> expected = golden.Floats(name);
            Assert.Equal(expected.Length, mean.Length);
            for (int i = 0; i < mean.Length; i++) Assert.InRange(mean[i], expected[i] * (1 - 1e-6f), expected[i] * (1 + 1e-6f));
        }
        Assert.Equal(1, matrix.Chunks);
        Assert.Equal(["vectors"], matrix.Datasets);
    }

    [Fact]
    public void A_written_matrix_is_read_as_it_was()
    {
        using TemporaryFolder folder = new();
        ImportanceMatrix matrix = Sample();
        ImportanceFile.Write(matrix, folder.At("a.gguf"));
        ImportanceMatrix read = ImportanceFile.Read(folder.At("a.gguf"));
        AssertSame(matrix, read);
        ImportanceFile.Write(read, folder.At("b.gguf"));
        Assert.Equal(File.ReadAllBytes(folder.At("a.gguf")), File.ReadAllBytes(folder.At("b.gguf")));
        Assert.Equal(["a.gguf", "b.gguf"], folder.Names);
    }

    [Fact]
    public void The_file_has_llama_cpp_s_form()
    {
        using TemporaryFolder folder = new();
        ImportanceFile.Write(Sample(), folder.At("a.gguf"));
        using GgufFile file = GgufFile.Open(folder.At("a.gguf"));
        Assert.Equal("imatrix", file.Metadata.String("general.type"));
        Assert.Equal(["prose.txt"], file.Metadata.Strings("imatrix.datasets")!);
        Assert.Equal((7, 512), (file.Metadata.Integer("imatrix.chunk_count"), file.Metadata.Integer("imatrix.chunk_size")));
        Assert.Equal([3L, 2], file.Find("experts.weight.in_sum2")!.Dimensions);
        Assert.Equal([1L, 2], file.Find("experts.weight.counts")!.Dimensions);
        Assert.Equal([6f, 0], file.Read(file.Find("experts.weight.counts")!).AsSpan<float>().ToArray());
    }

    [Fact]
    public void Merging_adds_sums_and_counts()
    {
        ImportanceMatrix sum = Sample(), other = Sample();
        other.Datasets.Add("code.txt");
        other.Set("new.weight", Entry(2, ([1, 2], 3)));
        sum.Merge(other);
        Assert.Equal([2f, 4, 6, 8], sum.Entries["a.weight"].Sums);
        Assert.Equal([8L], sum.Entries["a.weight"].Counts);
        Assert.Equal([12L, 0], sum.Entries["experts.weight"].Counts);
        Assert.Equal([1f, 2], sum.Entries["new.weight"].Sums);
        Assert.Equal((14, 512), (sum.Chunks, sum.ChunkLength));
        Assert.Equal(["prose.txt", "code.txt"], sum.Datasets);
        // The one merged stays as it was.
        sum.Merge(other);
        Assert.Equal([1f, 2], other.Entries["new.weight"].Sums);
        Assert.Equal([2f, 4], sum.Entries["new.weight"].Sums);
    }

    [Fact]
    public void Matrices_of_different_models_are_not_merged()
    {
        ImportanceMatrix one = Sample(), other = new();
        other.Set("a.weight", Entry(2, ([1, 2], 3)));
        Assert.Contains("a.weight", Assert.Throws<NibbleException>(() => one.Merge(other)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_expert_without_tokens_counts_evenly_and_is_reported()
    {
        ImportanceMatrix matrix = Sample();
        Assert.Equal([1f, 1, 1], matrix.Means()["experts.weight"][3..]);
        Assert.Equal([("experts.weight", 1, 0L)], matrix.RareExperts());
    }

    [Fact]
    public void Means_are_sums_by_tokens() => Assert.Equal([0.25f, 0.5f, 0.75f, 1], Sample().Means()["a.weight"]);

    [Fact]
    public void Every_cut_of_the_older_form_is_refused_in_one_line()
    {
        using TemporaryFolder folder = new();
        byte[] whole = Legacy(("a.weight", 2, [1, 2, 3]), ("b.weight", 2, [4, 5]));
        byte[] withText = [.. whole, .. BitConverter.GetBytes(9), .. BitConverter.GetBytes(5), .. "prose"u8];
        Assert.Equal(0, ImportanceFile.Read(folder.Write("old.dat", whole)).Chunks);
        Assert.Equal(9, ImportanceFile.Read(folder.Write("new.dat", withText)).Chunks);
        for (int length = 0; length < withText.Length; length++)
        {
            if (length == whole.Length) continue; // that is the form without the text
            string path = folder.Write("cut.dat", withText.AsSpan(0, length));
            FileErrors.Of(path, () => ImportanceFile.Read(path));
        }
    }

    [Fact]
    public void Every_cut_of_the_GGUF_form_is_refused_in_one_line()
    {
        using TemporaryFolder folder = new();
        ImportanceMatrix matrix = new();
        matrix.Set("a.weight", Entry(8, ([1, 2, 3, 4, 5, 6, 7, 8], 4)));
        ImportanceFile.Write(matrix, folder.At("whole.gguf"));
        byte[] whole = File.ReadAllBytes(folder.At("whole.gguf"));
        // The last bytes are padding behind the count, which no reader needs.
        for (int length = 0; length < whole.Length - 28; length++)
        {
            string path = folder.Write("cut.gguf", whole.AsSpan(0, length));
            FileErrors.Of(path, () => ImportanceFile.Read(path));
        }
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, -1)]
    [InlineData(0, int.MaxValue)]
    [InlineData(4, 0)]
    [InlineData(4, -5)]
    [InlineData(4, int.MaxValue)]
    [InlineData(16, -1)]
    [InlineData(20, 0)]
    [InlineData(20, -1)]
    [InlineData(20, int.MaxValue)]
    [InlineData(20, 1 << 27)]
    [InlineData(24, unchecked((int)0x7fc00000))] // not a number
    [InlineData(24, unchecked((int)0xbf800000))] // -1
    public void A_wrong_number_in_the_older_form_is_refused_without_using_much_memory(int position, int number)
    {
        using TemporaryFolder folder = new();
        byte[] file = Legacy(("a.weight", 2, [1, 2, 3]));
        BitConverter.TryWriteBytes(file.AsSpan(position), number);
        string path = folder.Write("wrong.dat", file);
        FileErrors.Of(path, () => ImportanceFile.Read(path));
        FileErrors.SuccessOrOneLine(path, () => ImportanceFile.Read(path));
    }

    [Fact]
    public void Another_GGUF_file_is_refused_and_so_are_sums_without_counts()
    {
        using TemporaryFolder folder = new();
        GgufModel model = new("llama");
        model.Add("a.weight", [1, 2], 2);
        string path = model.Save(folder.At("model.gguf"));
        Assert.Contains("nibble imatrix", FileErrors.Of(path, () => ImportanceFile.Read(path)), StringComparison.Ordinal);
        model.Metadata["general.type"] = MetadataValue.Of("imatrix");
        model.Add("a.weight.in_sum2", [1, 2], 2, 1);
        path = model.Save(folder.At("half.gguf"));
        Assert.Contains("a.weight.counts", FileErrors.Of(path, () => ImportanceFile.Read(path)), StringComparison.Ordinal);
        model.Add("a.weight.counts", [1, 2], 1, 2);
        path = model.Save(folder.At("many.gguf"));
        Assert.Contains("a.weight.in_sum2", FileErrors.Of(path, () => ImportanceFile.Read(path)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_checkpoint_is_refused_with_the_remedy()
    {
        using TemporaryFolder folder = new();
        ImportanceFile.WriteCheckpoint(Sample(), folder.At("c"), s_here);
        byte[] whole = File.ReadAllBytes(folder.At("c"));
        foreach (int length in new[] { 0, 10, whole.Length / 2 })
            Assert.Contains("delete", FileErrors.Of(folder.At("c"), () => ImportanceFile.TryReadCheckpoint(folder.Write("c", whole.AsSpan(0, length)), s_here)), StringComparison.Ordinal);
    }

    [Fact]
    public void Merged_with_others_the_older_form_weighs_as_much_as_the_tokens_of_its_windows()
    {
        using TemporaryFolder folder = new();
        // Two windows in which the mean squares were 1 and 3, and half a window of 256 tokens with twice that.
        ImportanceMatrix sum = ImportanceFile.Read(folder.Write("old.dat", Legacy(("a.weight", 2, [2, 6]), ("experts.weight", 2, [2, 4, 6, 8]))));
        ImportanceMatrix other = new();
        other.Set("a.weight", Entry(2, ([256 * 2, 256 * 6], 256)));
        other.Set("experts.weight", Entry(2, ([0, 0], 0), ([1024, 2048], 1024)));
        sum.Merge(other);
        Assert.Equal([2 * 512L + 256], sum.Entries["a.weight"].Counts);
        Assert.Equal([1.2f, 3.6f], sum.Means()["a.weight"]);
        // The older form has one count for all experts.
        Assert.Equal([1024L, 2048], sum.Entries["experts.weight"].Counts);
        Assert.Equal([1f, 2, 2, 3], sum.Means()["experts.weight"]);
        other.Merge(ImportanceFile.Read(folder.At("old.dat")));
        Assert.Equal(sum.Means()["experts.weight"], other.Means()["experts.weight"]);
        Assert.Equal([2L * 64], ImportanceFile.Read(folder.At("old.dat"), legacyWindow: 64).Entries["a.weight"].Counts);
    }

    [Fact]
    public void A_checkpoint_is_taken_up_by_its_own_origin_alone()
    {
        using TemporaryFolder folder = new();
        Assert.Null(ImportanceFile.TryReadCheckpoint(folder.At("c"), s_here));
        ImportanceFile.WriteCheckpoint(Sample(), folder.At("c"), s_here);
        AssertSame(Sample(), ImportanceFile.TryReadCheckpoint(folder.At("c"), s_here)!);
        foreach ((ImportanceOrigin there, string part) in new[]
        {
            (s_here with { Model = "another|model" }, "another model"), (s_here with { Text = "cd" }, "another text"),
            (s_here with { Window = 64 }, "windows of 32 tokens (--ctx), not 64"), (s_here with { IncludeOutput = true }, "--process-output"),
        })
        {
            string message = FileErrors.Of(folder.At("c"), () => ImportanceFile.TryReadCheckpoint(folder.At("c"), there));
            Assert.Contains(part, message, StringComparison.Ordinal);
            Assert.Contains("delete this file", message, StringComparison.Ordinal);
        }
    }

    internal static void AssertSame(ImportanceMatrix expected, ImportanceMatrix actual)
    {
        Assert.Equal(expected.Entries.Keys.Order(StringComparer.Ordinal), actual.Entries.Keys.Order(StringComparer.Ordinal));
        foreach ((string name, ImportanceEntry entry) in expected.Entries)
        {
            Assert.Equal((entry.Columns, entry.Matrices), (actual.Entries[name].Columns, actual.Entries[name].Matrices));
            Assert.Equal(entry.Sums, actual.Entries[name].Sums);
            Assert.Equal(entry.Counts, actual.Entries[name].Counts);
        }
        Assert.Equal((expected.Chunks, expected.ChunkLength), (actual.Chunks, actual.ChunkLength));
        Assert.Equal(expected.Datasets, actual.Datasets);
    }

    private static ImportanceMatrix Sample()
    {
        ImportanceMatrix matrix = new() { Chunks = 7, ChunkLength = 512 };
        matrix.Datasets.Add("prose.txt");
        matrix.Set("a.weight", Entry(4, ([1, 2, 3, 4], 4)));
        matrix.Set("experts.weight", Entry(3, ([3, 6, 0.1f], 6), ([0, 0, 0], 0)));
        return matrix;
    }

    private static ImportanceEntry Entry(int columns, params (float[] Sums, long Count)[] matrices)
    {
        ImportanceEntry entry = new(columns, matrices.Length);
        for (int m = 0; m < matrices.Length; m++) entry.Add(m, matrices[m].Sums, matrices[m].Count);
        return entry;
    }

    private static byte[] Legacy(params (string Name, int Calls, float[] Values)[] entries)
    {
        using MemoryStream stream = new();
        using BinaryWriter writer = new(stream);
        writer.Write(entries.Length);
        foreach ((string name, int calls, float[] values) in entries)
        {
            writer.Write(name.Length);
            writer.Write(Encoding.UTF8.GetBytes(name));
            writer.Write(calls);
            writer.Write(values.Length);
            foreach (float value in values) writer.Write(value);
        }
        writer.Flush();
        return stream.ToArray();
    }
}
