using Nibble.Files;

namespace Nibble.Tests.Files;

public class ContentIdentityTests
{
    [Fact]
    public void It_follows_the_content_and_not_the_name_or_the_time()
    {
        using TemporaryFolder folder = new();
        File.Copy(SampleModel.At("Q8_0"), folder.At("a.gguf"));
        File.Copy(SampleModel.At("Q8_0"), folder.At("b.gguf"));
        File.SetLastWriteTimeUtc(folder.At("b.gguf"), new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc));
        Assert.Equal(Of(folder.At("a.gguf")), Of(folder.At("b.gguf")));
        using (FileStream stream = File.OpenWrite(folder.At("b.gguf")))
        {
            stream.Seek(-100, SeekOrigin.End);
            stream.WriteByte(0x55);
            stream.WriteByte(0xaa);
        }
        Assert.NotEqual(Of(folder.At("a.gguf")), Of(folder.At("b.gguf")));
    }

    [Fact]
    public void Of_a_large_file_the_beginning_the_end_and_what_is_between_count()
    {
        using TemporaryFolder folder = new();
        GgufModel model = new("llama");
        float[] values = new float[1 << 22]; // 16 MB
        for (int i = 0; i < values.Length; i++) values[i] = i % 1000;
        model.Add("output.weight", values, 1 << 10, 1 << 12);
        HashSet<string> seen = [Of(model.Save(folder.At("model.gguf")))];
        foreach (int start in new[] { 0, 1 << 21, (1 << 22) - 1 })
        {
            GgufModel changed = new("llama");
            float[] others = [.. values];
            // What is changed between the ends is longer than the gap between two pieces.
            others.AsSpan(start, Math.Min(1 << 15, others.Length - start)).Fill(-1);
            changed.Add("output.weight", others, 1 << 10, 1 << 12);
            Assert.True(seen.Add(Of(changed.Save(folder.At("model.gguf")))), $"value {start}");
        }
    }

    private static string Of(string path)
    {
        using ModelFile file = ModelFile.Open(path);
        return ContentIdentity.Of(file);
    }
}
