using Nibble.Files;
using Nibble.Files.Gguf;
using Nibble.Formats;
using Nibble.Quantization;
using Nibble.Tests.Files.Gguf;

namespace Nibble.Tests.Quantization.Resuming;

public class ResumeTests
{
    private const string Partial = ".out.gguf.partial", Journal = ".out.partial.journal";

    public static TheoryData<int, SplitOptions?> Interruptions => new()
    {
        { 1, null }, { 2, null }, { 7, null }, { 20, null }, { 38, null }, { 39, null },
        { 3, new SplitOptions { MaxTensors = 2 } }, { 17, new SplitOptions { MaxBytes = 700_000 } }, { 38, new SplitOptions { MaxTensors = 20 } },
    };

    [Theory]
    [MemberData(nameof(Interruptions))]
    public void An_interrupted_run_goes_on_to_the_same_bytes(int steps, SplitOptions? split)
    {
        using TemporaryFolder expected = new(), folder = new();
        using ModelFile source = ModelFile.Open(SampleModel.At("F32"));
        QuantizationPlan plan = Plan(source, split: split);
        QuantizationResult whole = Quantizer.Write(source, plan, expected.At("out.gguf"));

        Interrupt(source, plan, folder, steps);
        Assert.All(folder.Names, name => Assert.StartsWith(".out", name, StringComparison.Ordinal));
        Assert.Contains(Journal, folder.Names);
        List<QuantizationProgress> seen = [];
        QuantizationResult result = Quantizer.Write(source, plan, folder.At("out.gguf"), resume: true, progress: new Told(seen.Add));

        Assert.InRange(result.Kept, Math.Max(1, steps - 1), steps); // the last may not have been written yet
        Assert.Empty(result.Damaged);
        Assert.Equal(result.Kept, seen.Count(p => p.IsKept));
        Assert.Equal(seen[^1].ValuesTotal, seen[^1].ValuesDone);
        AssertSameFiles(expected, folder);
        Assert.Equal(whole.Errors, result.Errors);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(29)]
    public void What_a_tensor_stores_once_is_kept_with_it(int steps)
    {
        using TemporaryFolder folder = new();
        using ModelFile source = ModelFile.Open(SampleModel.At("F32"));
        QuantizationPlan plan = QuantizationPlan.Create(source, Recipe.Parse("K4_CB"));
        Interrupt(source, plan, folder, steps);
        QuantizationResult result = Quantizer.Write(source, plan, folder.At("out.gguf"), resume: true);
        Assert.InRange(result.Kept, steps - 1, steps);
        Assert.Empty(result.Damaged);
        Assert.Equal(File.ReadAllBytes(SampleModel.At("K4_CB")), File.ReadAllBytes(folder.At("out.gguf")));
    }

    [Fact]
    public void Weights_taken_to_be_packed_in_another_way_are_another_model()
    {
        using TemporaryFolder folder = new();
        string path = TernaryModel.Save(folder.At("ternary.gguf"), TernaryModel.Plain(folder.At("plain.gguf")), I2_SLayout.Arm, isEven: _ => true);
        using ModelFile source = ModelFile.Open(path, I2_SLayout.Arm), other = ModelFile.Open(path, I2_SLayout.X86);
        QuantizationOptions options = new() { AllowRequantize = true };
        Interrupt(source, QuantizationPlan.Create(source, Recipe.Parse("F16"), options), folder, steps: 9);
        string message = Assert.Throws<NibbleException>(() =>
            Quantizer.Write(other, QuantizationPlan.Create(other, Recipe.Parse("F16"), options), folder.At("out.gguf"), resume: true)).Message;
        Assert.Contains("from another model", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_model_is_told_by_its_content_too()
    {
        using TemporaryFolder folder = new();
        string path = folder.At("model.gguf");
        byte[] bytes = File.ReadAllBytes(SampleModel.At("F32"));
        DateTime time = new(1980, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        Save();
        using (ModelFile source = ModelFile.Open(path)) Interrupt(source, Plan(source), folder, steps: 10);
        bytes[^1] ^= 1;
        Save();
        using ModelFile other = ModelFile.Open(path);
        string message = Assert.Throws<NibbleException>(() => Quantizer.Write(other, Plan(other), folder.At("out.gguf"), resume: true)).Message;
        Assert.Contains("from another model", message, StringComparison.Ordinal);

        void Save()
        {
            File.WriteAllBytes(path, bytes);
            File.SetLastWriteTimeUtc(path, time);
        }
    }

    [Fact]
    public void What_lies_between_tensors_is_written_again()
    {
        using TemporaryFolder folder = new();
        using ModelFile source = ModelFile.Open(SampleModel.At("F32"));
        QuantizationPlan plan = QuantizationPlan.Create(source, Recipe.Parse("K4_CB"));
        Interrupt(source, plan, folder, steps: 20);
        GgufOutput output = plan.Files(folder.At("out.gguf"))[0];
        using (FileStream partial = new(folder.At(Partial), FileMode.Open))
        {
            long position = output.DataStart;
            foreach (TensorInfo tensor in output.Tensors)
            {
                long next = position + GgufLayout.Align(tensor.Bytes, output.Alignment);
                partial.Position = position + tensor.Bytes;
                partial.Write(Enumerable.Repeat((byte)0xa5, (int)(next - partial.Position)).ToArray());
                position = next;
            }
        }
        QuantizationResult result = Quantizer.Write(source, plan, folder.At("out.gguf"), resume: true);
        Assert.InRange(result.Kept, 19, 20);
        Assert.Equal(File.ReadAllBytes(SampleModel.At("K4_CB")), File.ReadAllBytes(folder.At("out.gguf")));
    }

    [Fact]
    public void A_run_may_be_interrupted_again_and_again()
    {
        using TemporaryFolder folder = new();
        using ModelFile source = ModelFile.Open(SampleModel.At("F32"));
        for (int i = 0; i < 5; i++) Interrupt(source, Plan(source), folder, steps: i * 4 + 6);
        QuantizationResult result = Quantizer.Write(source, Plan(source), folder.At("out.gguf"), resume: true);
        Assert.InRange(result.Kept, 20, 38);
        AssertComplete(folder);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(13)]
    public void A_tensor_that_is_half_written_begins_anew(int steps)
    {
        using TemporaryFolder expected = new(), folder = new();
        GgufModel model = new("llama");
        Random random = new(5);
        float[] values = [.. Enumerable.Range(0, 256 * 16 * 8).Select(_ => random.NextSingle() - 0.5f)];
        for (int layer = 0; layer < 2; layer++) model.AddExperts($"blk.{layer}.ffn_up_exps.weight", values, 256, 16);
        using ModelFile source = ModelFile.Open(model.Save(folder.At("model.gguf")));
        // With importance of its own each expert is a step.
        Dictionary<string, float[]> importance = source.Tensors.ToDictionary(t => t.Name, _ => (float[])[.. Enumerable.Range(1, 256 * 8).Select(i => (float)i)]);
        QuantizationPlan plan = QuantizationPlan.Create(source, Recipe.Parse("Q4_K_M"), new() { Importance = importance });
        QuantizationResult whole = Quantizer.Write(source, plan, expected.At("out.gguf"));
        Interrupt(source, plan, folder, steps);
        QuantizationResult result = Quantizer.Write(source, plan, folder.At("out.gguf"), resume: true);
        Assert.Equal(steps / 8, result.Kept);
        Assert.Equal(whole.Errors, result.Errors);
        Assert.Equal(["model.gguf", "out.gguf"], folder.Names);
        Assert.Equal(File.ReadAllBytes(expected.At("out.gguf")), File.ReadAllBytes(folder.At("out.gguf")));
    }

    [Fact]
    public void A_damaged_tensor_is_made_again_and_named()
    {
        using TemporaryFolder folder = new();
        using ModelFile source = ModelFile.Open(SampleModel.At("F32"));
        Interrupt(source, Plan(source), folder, steps: 20);
        using (GgufPart expected = new(SampleModel.At("Q4_K_M")))
        using (FileStream partial = new(folder.At(Partial), FileMode.Open))
        {
            // A byte in the middle of one tensor, and the last one of another.
            Flip(Start(0) + 1000);
            Flip(Start(4) - 1 - (Start(4) - Start(3) - expected.Tensors[3].Bytes));

            long Start(int tensor) => new GgufOutput("", expected.Metadata, expected.Tensors).DataStart + expected.Tensors.Take(tensor).Sum(t => GgufLayout.Align(t.Bytes, 32));

            void Flip(long position)
            {
                partial.Position = position;
                int value = partial.ReadByte();
                partial.Position = position;
                partial.WriteByte((byte)(value ^ 0x10));
            }
        }
        QuantizationResult result = Quantizer.Write(source, Plan(source), folder.At("out.gguf"), resume: true);
        Assert.Equal([Plan(source).Tensors[0], Plan(source).Tensors[3]], result.Damaged);
        Assert.InRange(result.Kept, 17, 18);
        AssertComplete(folder);
    }

    [Fact]
    public void A_partial_file_that_was_cut_short_or_is_missing_costs_its_tensors_alone()
    {
        using ModelFile source = ModelFile.Open(SampleModel.At("F32"));
        foreach (int left in new[] { 1_500_000, 0, -1 })
        {
            using TemporaryFolder folder = new();
            Interrupt(source, Plan(source), folder, steps: 20);
            if (left < 0) File.Delete(folder.At(Partial));
            else using (FileStream partial = new(folder.At(Partial), FileMode.Open)) partial.SetLength(left);
            QuantizationResult result = Quantizer.Write(source, Plan(source), folder.At("out.gguf"), resume: true);
            Assert.NotEmpty(result.Damaged);
            Assert.Equal(left > 0, result.Kept > 0);
            AssertComplete(folder);
        }
    }

    [Fact]
    public void A_journal_that_ends_in_a_line_or_is_damaged_costs_those_lines_alone()
    {
        using TemporaryFolder folder = new();
        using ModelFile source = ModelFile.Open(SampleModel.At("F32"));
        Interrupt(source, Plan(source), folder, steps: 20);
        string[] lines = File.ReadAllLines(folder.At(Journal));
        // One with another error, which the check at its end gives away; one that is half there.
        lines[8] = lines[8].Replace('7', '8');
        lines[^1] = lines[^1][..30];
        File.WriteAllText(folder.At(Journal), string.Join('\n', lines));
        Interrupt(source, Plan(source), folder, steps: lines.Length - 8 + 4);
        QuantizationResult result = Quantizer.Write(source, Plan(source), folder.At("out.gguf"), resume: true);
        Assert.Empty(result.Damaged);
        Assert.InRange(result.Kept, lines.Length - 8 + 2, 38);
        AssertComplete(folder);
        Assert.Equal(Quantizer.Write(source, Plan(source), folder.At("out.gguf")).Errors, result.Errors);
    }

    [Fact]
    public void What_was_begun_otherwise_is_refused_and_left_as_it_is()
    {
        using TemporaryFolder folder = new();
        string path = folder.At("model.gguf");
        File.Copy(SampleModel.At("F32"), path);
        using (ModelFile source = ModelFile.Open(path))
        {
            Interrupt(source, Plan(source), folder, steps: 10);
            byte[] partial = File.ReadAllBytes(folder.At(Partial)), journal = File.ReadAllBytes(folder.At(Journal));
            Refused("another type", Plan(source, "Q5_K_M"));
            Refused("another type", Plan(source, split: new() { MaxTensors = 10 }));
            Refused("--no-check", QuantizationPlan.Create(source, Recipe.Parse("Q4_K_M"), new() { Check = false }));
            Dictionary<string, float[]> importance = new() { ["blk.0.attn_q.weight"] = [.. Enumerable.Repeat(1f, 256)] };
            Refused("importance", QuantizationPlan.Create(source, Recipe.Parse("Q4_K_M"), new() { Importance = importance }));
            Assert.Equal(partial, File.ReadAllBytes(folder.At(Partial)));
            Assert.Equal(journal, File.ReadAllBytes(folder.At(Journal)));
        }
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddDays(1));
        using ModelFile changed = ModelFile.Open(path);
        Refused("changed", Plan(changed));

        // Without --resume it begins afresh, and what was left is gone.
        Quantizer.Write(changed, Plan(changed, "Q5_K_M"), folder.At("out.gguf"));
        Assert.Equal(["model.gguf", "out.gguf"], folder.Names);

        void Refused(string part, QuantizationPlan plan)
        {
            using ModelFile file = ModelFile.Open(path);
            string message = Assert.Throws<NibbleException>(() => Quantizer.Write(file, plan, folder.At("out.gguf"), resume: true)).Message;
            Assert.Contains(part, message, StringComparison.Ordinal);
            Assert.Contains("--resume", message, StringComparison.Ordinal);
            Assert.DoesNotContain(message, char.IsControl);
        }
    }

    [Fact]
    public void Without_a_finished_tensor_or_with_too_large_an_error_nothing_stays()
    {
        using TemporaryFolder folder = new();
        using ModelFile source = ModelFile.Open(SampleModel.At("F32"));
        Assert.ThrowsAny<OperationCanceledException>(() => Quantizer.Write(source, Plan(source), folder.At("out.gguf"), resume: true, cancellationToken: new CancellationToken(canceled: true)));
        Assert.Empty(folder.Names);

        QuantizationPlan plan = QuantizationPlan.Create(source, Recipe.Parse("Q4_K_M"), new() { MaxError = 0.01 });
        Interrupt(source, plan, folder, steps: 30);
        Assert.Throws<ExcessiveErrorException>(() => Quantizer.Write(source, plan, folder.At("out.gguf"), resume: true));
        Assert.Empty(folder.Names);
    }

    [Fact]
    public void Values_that_were_let_through_once_are_looked_at_again()
    {
        using TemporaryFolder folder = new();
        GgufModel model = new("llama");
        for (int layer = 0; layer < 4; layer++)
        {
            float[] values = new float[256 * 256];
            values[0] = layer == 1 ? float.NaN : 1;
            model.Add($"blk.{layer}.attn_q.weight", values, 256, 256);
        }
        using ModelFile source = ModelFile.Open(model.Save(folder.At("model.gguf")));
        Interrupt(source, QuantizationPlan.Create(source, Recipe.Parse("Q8_0"), new() { AllowNan = true }), folder, steps: 4);
        string message = Assert.Throws<NibbleException>(() => Quantizer.Write(source, Plan(source, "Q8_0"), folder.At("out.gguf"), resume: true)).Message;
        Assert.Contains("blk.1.attn_q.weight", message, StringComparison.Ordinal);
        // Progress outlives the failure, so that it can be put right.
        QuantizationResult result = Quantizer.Write(source, QuantizationPlan.Create(source, Recipe.Parse("Q8_0"), new() { AllowNan = true }), folder.At("out.gguf"), resume: true);
        Assert.InRange(result.Kept, 3, 4);
    }

    [Fact]
    public void Only_one_run_at_a_time_is_at_work_on_a_file()
    {
        using TemporaryFolder folder = new();
        using ModelFile source = ModelFile.Open(SampleModel.At("F32"));
        int refused = 0;
        Quantizer.Write(source, Plan(source), folder.At("out.gguf"), resume: true, progress: new Told(p =>
        {
            if (p.Index != 5) return;
            Refused(resume: true);
            Refused(resume: false);
        }));
        Assert.Equal(2, refused);
        AssertComplete(folder);

        void Refused(bool resume)
        {
            string message = Assert.Throws<NibbleException>(() => Quantizer.Write(source, Plan(source), folder.At("out.gguf"), resume: resume)).Message;
            Assert.Contains("another nibble is writing this file", message, StringComparison.Ordinal);
            refused++;
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense\n")]
    [InlineData("nibble quantize journal 1\nversion x\n")]
    [InlineData("nibble quantize journal 2\nversion x\nsource x\nimportance x\ncheck on\ntarget x\n")]
    public void A_journal_that_is_none_is_refused_unless_empty(string text)
    {
        using TemporaryFolder folder = new();
        using ModelFile source = ModelFile.Open(SampleModel.At("F32"));
        string journal = folder.Write(Journal, text);
        if (text.Length > 0) Assert.Contains("--resume", Nibble.Tests.Files.FileErrors.Of(journal, () => Quantizer.Write(source, Plan(source), folder.At("out.gguf"), resume: true)), StringComparison.Ordinal);
        Quantizer.Write(source, Plan(source), folder.At("out.gguf"), resume: text.Length == 0);
        AssertComplete(folder);
    }

    private static QuantizationPlan Plan(ModelFile source, string recipe = "Q4_K_M", SplitOptions? split = null) => QuantizationPlan.Create(source, Recipe.Parse(recipe), new() { Split = split });

    private static void Interrupt(ModelFile source, QuantizationPlan plan, TemporaryFolder folder, int steps)
    {
        using CancellationTokenSource stop = new();
        int seen = 0;
        void Count(QuantizationProgress progress)
        {
            if (++seen == steps) stop.Cancel();
            stop.Token.ThrowIfCancellationRequested(); // also after the last
        }
        Assert.ThrowsAny<OperationCanceledException>(() => Quantizer.Write(source, plan, folder.At("out.gguf"), resume: true, progress: new Told(Count), cancellationToken: stop.Token));
    }

    private static void AssertComplete(TemporaryFolder folder)
    {
        Assert.Equal(["out.gguf"], folder.Names);
        Assert.True(File.ReadAllBytes(SampleModel.At("Q4_K_M")).AsSpan().SequenceEqual(File.ReadAllBytes(folder.At("out.gguf"))), "other bytes");
    }

    private static void AssertSameFiles(TemporaryFolder expected, TemporaryFolder actual)
    {
        Assert.Equal(expected.Names, actual.Names);
        foreach (string name in expected.Names) Assert.True(File.ReadAllBytes(expected.At(name)).AsSpan().SequenceEqual(File.ReadAllBytes(actual.At(name))), name);
    }

    private sealed class Told(Action<QuantizationProgress> report) : IProgress<QuantizationProgress>
    {
        public void Report(QuantizationProgress value) => report(value);
    }
}
