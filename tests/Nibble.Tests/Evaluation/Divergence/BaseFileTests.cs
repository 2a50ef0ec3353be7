using System.Buffers.Binary;
using System.Security.Cryptography;
using Nibble.Evaluation;
using Nibble.Evaluation.Divergence;
using Nibble.Generation;

namespace Nibble.Tests.Evaluation.Divergence;

public class BaseFileTests
{
    [Theory]
    [InlineData("Q4_K_M")]
    [InlineData("Q2_K")]
    public void A_saved_base_stands_for_the_base(string level)
    {
        using TemporaryFolder folder = new();
        using LanguageModel reference = SampleModel.Open("F32", threads: 2), variant = SampleModel.Open(level, threads: 2);
        (EvaluationText text, EvaluationOptions options) = Sample(reference, windows: 8);
        PerplexityResult saved = BaseFileWriter.Save(folder.At("base"), reference, text, options);
        DivergenceResult direct = DivergenceMeasurement.Measure(reference, variant, text, options);
        using BaseFile file = BaseFile.Open(folder.At("base"));
        DivergenceResult result = DivergenceMeasurement.Measure(file, variant);

        Assert.Equal(direct.BasePerplexity.Perplexity, saved.Perplexity, 1e-4);
        Assert.Equal(direct.Ratio.Value, result.Ratio.Value, 1e-6);
        Assert.Equal(direct.SameTop, result.SameTop);
        Assert.Equal(direct.Tokens.Select(t => t.Token), result.Tokens.Select(t => t.Token));
        Assert.InRange(result.Mean.Value, direct.Mean.Value - 4 * result.SamplingError, direct.Mean.Value + 4 * result.SamplingError);
        Assert.InRange(result.SamplingError / direct.Mean.Value, 1e-4, 0.02);
        Assert.InRange(result.Divergences.At(0.99) / direct.Divergences.At(0.99), 0.85, 1.15);
        Assert.InRange(new FileInfo(folder.At("base")).Length, 1, (long)(0.01 * direct.Tokens.Count * 4096 * sizeof(float)));
        Assert.Equal(text.Sha256, file.Header.TextSha256);
        Assert.Equal("f16", file.Header.Cache);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(SampleModel.At("F32")))), file.Header.BaseSha256);
    }

    [Theory]
    [InlineData(4096)]
    [InlineData(32_000)]
    [InlineData(128_256)]
    [InlineData(151_936)]
    public void It_has_less_than_a_hundredth_of_the_scores(int vocabulary)
    {
        (int top, int sampled) = BaseHeader.KeptFor(vocabulary);
        BaseHeader header = new(vocabulary, 512, 1000, null, top, sampled, "", "", "", "", "", "f16");
        Assert.InRange(header.Records * header.RecordBytes + header.Tokens * sizeof(int), 1, header.Records * vocabulary * sizeof(float) / 100);
    }

    [Fact]
    public void The_draws_follow_the_distribution()
    {
        const int Vocabulary = 4096;
        BaseHeader header = new(Vocabulary, 4, 1, null, 4, 16, "", "", "", "", "", "f16");
        float[] scores = new float[Vocabulary];
        for (int id = 0; id < 4; id++) scores[100 + id] = 8 - id;
        for (int id = 0; id < 8; id++) scores[2000 + id] = 3; // these share the rest with all others
        double mass = 8 * Math.Exp(3), rest = mass + Vocabulary - 12;
        int drawn = 0;
        const int Records = 2000;
        byte[] bytes = new byte[header.RecordBytes];
        unsafe
        {
            fixed (byte* start = bytes)
            {
                for (int position = 0; position < Records; position++)
                {
                    BaseRecord record = new(start, header);
                    BaseSelection.Write(scores, 100, position, header, record);
                    for (int i = 0; i < header.Top; i++) Assert.Equal(100 + i, record.Id(i));
                    for (int i = header.Top; i < header.Kept; i++) drawn += record.Id(i) is >= 2000 and < 2008 ? 1 : 0;
                }
            }
        }
        Assert.Equal(mass / rest, drawn / (16.0 * Records), 0.01);
    }

    [Fact]
    public void Damaged_files_are_refused()
    {
        using TemporaryFolder folder = new();
        using LanguageModel reference = SampleModel.Open("Q2_K");
        (EvaluationText text, EvaluationOptions options) = Sample(reference, windows: 1);
        BaseFileWriter.Save(folder.At("base"), reference, text, options with { ContextLength = 8 });
        byte[] sound = File.ReadAllBytes(folder.At("base"));
        BaseFile.Open(folder.At("base")).Dispose();

        foreach (int length in new[] { 0, 7, 8, 100, 135, 136, 170, 200, sound.Length - 40, sound.Length - 1 }) Refused(sound.AsSpan(0, length));
        Refused([.. sound, 0]);
        for (int i = 0; i < sound.Length; i += 3) Refused(With(i, (byte)(sound[i] ^ 0x55)));
        // The same with a hash that fits: no number may be believed.
        foreach (int field in Enumerable.Range(2, 8))
            foreach (int value in new[] { -1, -2, int.MinValue, int.MaxValue, 1 << 30 })
                if (field != 7 || value != -1) Refused(Hashed(field * 4, value));
        int head = BinaryPrimitives.ReadInt32LittleEndian(sound.AsSpan(12));
        Refused(Hashed(136, -1));
        Refused(Hashed(head, 4096));
        Refused(Hashed(head, -1));
        Refused(Hashed(head + 8 * 4, BitConverter.SingleToInt32Bits(float.NaN)));
        Refused(Hashed(head + 8 * 4, BitConverter.SingleToInt32Bits(1)));
        Refused(Hashed(head + 9 * 4, BitConverter.SingleToInt32Bits(1.5f)));
        Refused(Hashed(head + 10 * 4, -1));

        byte[] With(int index, byte value)
        {
            byte[] bytes = [.. sound];
            bytes[index] = value;
            return bytes;
        }

        byte[] Hashed(int offset, int value)
        {
            byte[] bytes = [.. sound];
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(offset), value);
            SHA256.HashData(bytes.AsSpan(0, bytes.Length - 32)).CopyTo(bytes, bytes.Length - 32);
            return bytes;
        }

        void Refused(ReadOnlySpan<byte> bytes)
        {
            string path = folder.Write("damaged", bytes);
            Assert.StartsWith(path, Assert.Throws<NibbleException>(() => BaseFile.Open(path)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void It_says_how_keys_and_values_were_stored_and_one_of_an_older_version_how_to_go_on()
    {
        using TemporaryFolder folder = new();
        using LanguageModel reference = SampleModel.Open("Q2_K");
        (EvaluationText text, EvaluationOptions options) = Sample(reference, windows: 1);
        Nibble.Models.CacheOptions cache = new() { KeyFormat = Nibble.Models.CacheOptions.ParseFormat("q8_0"), ValueFormat = Nibble.Models.CacheOptions.ParseFormat("q4_0") };
        BaseFileWriter.Save(folder.At("base"), reference, text, options with { Cache = cache });
        using (BaseFile file = BaseFile.Open(folder.At("base"))) Assert.Equal("keys q8_0, values q4_0 (rotated)", file.Header.Cache);
        byte[] old = File.ReadAllBytes(folder.At("base"));
        old[8] = 1;
        string path = folder.Write("old", (ReadOnlySpan<byte>)old), message = Assert.Throws<NibbleException>(() => BaseFile.Open(path)).Message;
        Assert.Equal($"{path}: is a base file of version 1, and this program reads version 2; save the base again", message);
    }

    /// <summary>Heads whose counts are each allowed, and give more bytes together than a file, or 64 bits, can have.</summary>
    [Theory]
    [InlineData(1 << 24, 1 << 24, int.MaxValue, 1 << 24, 1 << 24)]
    [InlineData(1 << 24, 4, int.MaxValue, 1 << 24, 1 << 24)]
    [InlineData(4096, 1 << 24, 1, 18, 18)]
    [InlineData(1 << 24, 4, 1, 1 << 24, 1 << 24)]
    public void Counts_that_no_file_can_have_are_refused(int vocabulary, int context, int windows, int top, int sampled)
    {
        using TemporaryFolder folder = new();
        byte[] bytes = new byte[4096];
        "NIBLBASE"u8.CopyTo(bytes);
        int[] numbers = [2, 144, vocabulary, context, windows, -1, top, sampled];
        for (int i = 0; i < numbers.Length; i++) BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8 + i * 4), numbers[i]);
        SHA256.HashData(bytes.AsSpan(0, bytes.Length - 32)).CopyTo(bytes, bytes.Length - 32);
        string path = folder.Write("hostile", (ReadOnlySpan<byte>)bytes), message = Assert.Throws<NibbleException>(() => BaseFile.Open(path)).Message;
        Assert.StartsWith(path, message, StringComparison.Ordinal);
        Assert.Contains("save the base again", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Saving_that_is_stopped_leaves_nothing()
    {
        using TemporaryFolder folder = new();
        using LanguageModel reference = SampleModel.Open("Q2_K");
        (EvaluationText text, EvaluationOptions options) = Sample(reference, windows: 2);
        Assert.ThrowsAny<OperationCanceledException>(() => BaseFileWriter.Save(folder.At("base"), reference, text, options, cancellationToken: new CancellationToken(true)));
        Assert.Empty(folder.Names);
    }

    private static (EvaluationText Text, EvaluationOptions Options) Sample(LanguageModel model, int windows) =>
        (EvaluationText.Of("sample.txt", File.ReadAllBytes(Path.Combine(Shared.TinyModel, "sample.txt")), model.Tokenizer), EvaluationOptions.For(model) with { Windows = windows });
}
