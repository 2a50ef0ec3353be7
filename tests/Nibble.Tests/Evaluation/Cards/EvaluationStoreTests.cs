using Nibble.Evaluation.Cards;
using Nibble.Files;
using Nibble.Files.Gguf;
using Nibble.Quantization;

namespace Nibble.Tests.Evaluation.Cards;

public class EvaluationStoreTests
{
    private static readonly EvaluationRecord s_measured = new()
    {
        Text = new("a | b.txt", new string('a', 64), 256, null, 4, 508, "f16"),
        Perplexity = new(40.345, 1.8),
        Base = new("tiny: \"the\" base", new string('b', 64), "f16"),
        Divergence = new(new(40.04, 1.8), new(1.0077, 0.001), new(0.0041, 0.0001), 0.003, 0.008, 0.01, 0.02, 0.04, 0.1, new(0.94, 0.01)),
        Tasks = [new("arc_easy", "acc", 0.7, 0.01, 100, 0, 1234, null, "f16")],
    };

    [Fact]
    public void The_file_says_it_and_its_tensors_stay_as_they_are()
    {
        using TemporaryFolder folder = new();
        string path = folder.At("tiny-Q4_K_M.gguf");
        File.Copy(SampleModel.At("Q4_K_M"), path);
        EvaluationRecord stored = EvaluationStore.Save(path, s_measured);
        Assert.Equal("Q4_K_M", stored.Recipe);
        SameTensors(SampleModel.At("Q4_K_M"), path);
        using ModelFile file = ModelFile.Open(path);
        Assert.Equal(stored.Divergence, EvaluationRecord.Read(file.Metadata)!.Divergence);
        Assert.Equal(["tiny-Q4_K_M.gguf", "tiny-Q4_K_M.gguf.md"], folder.Names);
        // What was measured is not true of another level.
        QuantizationPlan plan = QuantizationPlan.Create(file, Recipe.Parse("Q2_K"), new() { AllowRequantize = true });
        Assert.DoesNotContain(plan.Metadata, pair => pair.Key.StartsWith("nibble.eval.", StringComparison.Ordinal));
    }

    [Fact]
    public void Taking_it_away_again_gives_the_same_file()
    {
        using TemporaryFolder folder = new();
        string path = folder.At("tiny-Q2_K.gguf");
        File.Copy(SampleModel.At("Q2_K"), path);
        EvaluationStore.Save(path, s_measured);
        GgufMetadata.Rewrite(path, EvaluationKeys.Remove);
        Assert.Equal(File.ReadAllBytes(SampleModel.At("Q2_K")), File.ReadAllBytes(path));
    }

    [Fact]
    public void Of_a_split_model_the_first_part_alone_changes()
    {
        using TemporaryFolder folder = new();
        using (ModelFile source = ModelFile.Open(SampleModel.At("F32")))
            Quantizer.Write(source, QuantizationPlan.Create(source, Recipe.Parse("Q4_0"), new() { Split = new() { MaxTensors = 15 } }), folder.At("tiny.gguf"));
        string[] parts = [.. folder.Names.Select(folder.At)];
        Assert.Equal(3, parts.Length);
        byte[][] before = [.. parts.Select(File.ReadAllBytes)];
        EvaluationStore.Save(parts[1], s_measured); // any part names the model
        Assert.NotEqual(before[0], File.ReadAllBytes(parts[0]));
        for (int i = 1; i < parts.Length; i++) Assert.Equal(before[i], File.ReadAllBytes(parts[i]));
        Assert.Equal("tiny.gguf.md", folder.Names[^1]);
        using GgufFile file = GgufFile.Open(parts[2]);
        Assert.NotNull(EvaluationRecord.Read(file.Metadata));
        Assert.Equal(39, file.Tensors.Count);
    }

    [Fact]
    public void A_page_of_the_user_is_never_lost()
    {
        using TemporaryFolder folder = new();
        string path = folder.At("tiny.gguf"), card = folder.Write("tiny.gguf.md", "# My notes");
        File.Copy(SampleModel.At("Q2_K"), path);
        Assert.StartsWith(card, Assert.Throws<NibbleException>(() => EvaluationStore.Save(path, s_measured)).Message, StringComparison.Ordinal);
        Assert.Equal("# My notes", File.ReadAllText(card));
        Assert.Equal(File.ReadAllBytes(SampleModel.At("Q2_K")), File.ReadAllBytes(path));
        File.Delete(card);
        EvaluationStore.Save(path, s_measured);
        EvaluationStore.Save(path, s_measured); // its own page it replaces
        File.AppendAllText(card, "and what I think of it\n");
        Assert.Throws<NibbleException>(() => EvaluationStore.Check(path));
    }

    [Fact]
    public void Metadata_that_no_card_can_be_made_of_is_refused_before_measuring()
    {
        using TemporaryFolder folder = new();
        string path = folder.At("tiny.gguf");
        File.Copy(SampleModel.At("Q2_K"), path);
        GgufMetadata.Rewrite(path, metadata => metadata["general.license"] = MetadataValue.Of(7u));
        byte[] before = File.ReadAllBytes(path);
        Assert.Contains("general.license", Assert.Throws<NibbleException>(() => EvaluationStore.Check(path)).Message, StringComparison.Ordinal);
        Assert.Throws<NibbleException>(() => EvaluationStore.Save(path, s_measured));
        Assert.Equal(["tiny.gguf"], folder.Names);
        Assert.Equal(before, File.ReadAllBytes(path));
    }

    [Fact]
    public void Measurements_that_cannot_be_read_are_replaced()
    {
        using TemporaryFolder folder = new();
        string path = folder.At("tiny.gguf");
        File.Copy(SampleModel.At("Q2_K"), path);
        EvaluationStore.Save(path, s_measured);
        GgufMetadata.Rewrite(path, metadata => metadata["nibble.eval.kld.mean"] = MetadataValue.Of("much"));
        EvaluationStore.Check(path);
        EvaluationStore.Save(path, new() { Text = s_measured.Text, Perplexity = new(3, 0.1) });
        using ModelFile file = ModelFile.Open(path);
        EvaluationRecord record = EvaluationRecord.Read(file.Metadata)!;
        Assert.Equal(new Nibble.Evaluation.Estimate(3, 0.1), record.Perplexity);
        Assert.Null(record.Divergence);
        Assert.Empty(record.Tasks);
    }

    [Fact]
    public void Stopping_leaves_the_file_as_it_was()
    {
        using TemporaryFolder folder = new();
        string path = folder.At("tiny.gguf");
        File.Copy(SampleModel.At("Q2_K"), path);
        Assert.ThrowsAny<OperationCanceledException>(() => EvaluationStore.Save(path, s_measured, cancellationToken: new CancellationToken(true)));
        Assert.Equal(["tiny.gguf"], folder.Names);
        Assert.Equal(File.ReadAllBytes(SampleModel.At("Q2_K")), File.ReadAllBytes(path));
    }

    [Fact]
    public void Only_GGUF_keeps_measurements() =>
        Assert.Contains("GGUF", Assert.Throws<NibbleException>(() => EvaluationStore.Check(Shared.TinyModel)).Message, StringComparison.Ordinal);

    [Fact]
    public void The_card_has_a_head_that_Hugging_Face_reads()
    {
        using TemporaryFolder folder = new();
        string path = folder.At("tiny-Q2_K.gguf");
        File.Copy(SampleModel.At("Q2_K"), path);
        EvaluationStore.Save(path, s_measured);
        string[] lines = File.ReadAllLines(folder.At("tiny-Q2_K.gguf.md"));
        string[] head = lines[1..Array.IndexOf(lines, "---", 1)];
        Assert.Equal("---", lines[0]);
        Assert.Contains("base_model: \"tiny: \\\"the\\\" base\"", head);
        Assert.Contains("base_model_relation: quantized", head);
        Assert.Contains(head, line => line.StartsWith("quantized_by: ", StringComparison.Ordinal));
        Assert.Contains("model-index:", head);
        Assert.Contains("    - type: \"perplexity\"", head);
        Assert.Contains("      value: 40.345", head);
        Assert.Contains("      name: \"arc_easy\"", head);
        Assert.Contains(lines, line => line.Contains("a \\| b.txt", StringComparison.Ordinal));
    }

    private static void SameTensors(string expected, string actual)
    {
        using ModelFile one = ModelFile.Open(expected), other = ModelFile.Open(actual);
        Assert.Equal(one.Tensors.Select(t => t.Name), other.Tensors.Select(t => t.Name));
        foreach (TensorInfo tensor in one.Tensors)
            Assert.True(one.Read(tensor).AsSpan<byte>().SequenceEqual(other.Read(other.Find(tensor.Name)!).AsSpan<byte>()), tensor.Name);
    }
}
