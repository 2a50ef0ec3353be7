using Nibble.Files;
using Nibble.Files.Gguf;
using Nibble.Quantization;

namespace Nibble.Tests.Quantization;

public class SplitTests
{
    [Theory]
    [InlineData("a-00001-of-00002.gguf", true)]
    [InlineData("a-00001-of-00002.gguf\n", false)]
    [InlineData("a-٠٠٠٠١-of-٠٠٠٠٢.gguf", false)]
    public void The_name_of_a_part_has_plain_digits(string name, bool isPart) => Assert.Equal(isPart, SplitName.Parse(name) is not null);

    [Theory]
    [InlineData(1L, null)]
    [InlineData(200_000L, null)]
    [InlineData(700_000L, null)]
    [InlineData(1_000_000L, null)]
    [InlineData(1L << 40, null)]
    [InlineData(null, 1)]
    [InlineData(null, 7)]
    [InlineData(null, 39)]
    [InlineData(900_000L, 5)]
    public void Parts_hold_together_what_one_file_holds_and_none_is_too_large(long? maxBytes, int? maxTensors)
    {
        using TemporaryFolder folder = new();
        using ModelFile source = ModelFile.Open(SampleModel.At("F32")), whole = ModelFile.Open(SampleModel.At("Q4_K_M"));
        QuantizationPlan plan = QuantizationPlan.Create(source, Recipe.Parse("Q4_K_M"), new() { Split = new() { MaxBytes = maxBytes, MaxTensors = maxTensors } });
        Quantizer.Write(source, plan, folder.At("out.gguf"));

        string[] names = folder.Names;
        Assert.Equal(Enumerable.Range(1, names.Length).Select(i => $"out-{i:00000}-of-{names.Length:00000}.gguf"), names);
        Assert.Equal(plan.Files(folder.At("out.gguf")).Select(f => (f.Path, f.Bytes)), names.Select(n => (folder.At(n), new FileInfo(folder.At(n)).Length)));
        List<TensorInfo> tensors = [];
        foreach ((int number, string name) in names.Index())
        {
            // Each part by itself, as other readers see it.
            using GgufPart part = new(folder.At(name));
            Assert.True(part.Tensors.Count == 1 || !(new FileInfo(part.Path).Length > maxBytes), $"{name} is too large");
            Assert.InRange(part.Tensors.Count, 1, maxTensors ?? int.MaxValue);
            Assert.Equal(
                [("split.no", MetadataType.UInt16, number), ("split.count", MetadataType.UInt16, names.Length), ("split.tensors.count", MetadataType.Int32, plan.Tensors.Count)],
                part.Metadata.TakeLast(3).Select(p => (p.Key, p.Value.Type, (int)p.Value.AsInteger())));
            if (number > 0) Assert.Equal(3, part.Metadata.Count);
            tensors.AddRange(part.Tensors);
        }
        // No part could have taken the first tensor of the next.
        IReadOnlyList<GgufOutput> files = plan.Files("x");
        foreach ((GgufOutput file, GgufOutput next) in files.Zip(files.Skip(1)))
            Assert.True(file.Tensors.Count == maxTensors || (file with { Tensors = [.. file.Tensors, next.Tensors[0]] }).Bytes > maxBytes);

        Assert.Equal(whole.Tensors.Select(t => t.Name), tensors.Select(t => t.Name));
        using ModelFile result = ModelFile.Open(folder.At(names[^1]));
        AssertSame(whole, result);
        Assert.Equal(whole.Metadata.Select(p => p.Key), result.Metadata.Select(p => p.Key).Where(key => !key.StartsWith("split.", StringComparison.Ordinal)));
    }

    [Fact]
    public void Every_tensor_stays_in_its_part()
    {
        using TemporaryFolder folder = new();
        using ModelFile whole = ModelFile.Open(SampleModel.At("F32"));
        // Parts in an order of their own, the first without tensors, as llama-gguf-split --no-tensor-first-split makes them.
        TensorInfo[] order = [.. whole.Tensors.Reverse()];
        IReadOnlyList<GgufOutput> parts = GgufSplit.Parts(folder.At("big"), whole.Metadata, [[], order[..5], order[5..6], order[6..]]);
        using (GgufWriter writer = GgufWriter.Create(parts))
        {
            foreach (TensorInfo tensor in order) writer.Write(whole.Read(tensor).AsSpan<byte>());
            writer.Commit();
        }
        using ModelFile source = ModelFile.Open(folder.At("big-00003-of-00004.gguf"));
        Quantizer.Write(source, QuantizationPlan.Create(source, Recipe.Parse("Q4_K_M"), new() { Split = new() { Keep = true } }), folder.At("out-00001-of-00004.gguf"));

        Assert.Equal(8, folder.Names.Length);
        for (int i = 1; i <= 4; i++)
        {
            using GgufPart before = new(folder.At($"big-0000{i}-of-00004.gguf")), after = new(folder.At($"out-0000{i}-of-00004.gguf"));
            Assert.Equal(before.Tensors.Select(t => t.Name), after.Tensors.Select(t => t.Name));
        }
        using ModelFile expected = ModelFile.Open(SampleModel.At("Q4_K_M")), result = ModelFile.Open(folder.At("out-00001-of-00004.gguf"));
        Assert.Equal(expected.Tensors.Count, result.Tensors.Count);
        AssertSame(expected, result);

        // A layer that is left out may empty a part, which is then left out too.
        QuantizationPlan pruned = QuantizationPlan.Create(source, Recipe.Parse("Q4_K_M"), new() { Split = new() { Keep = true }, PrunedLayers = new HashSet<int> { QuantizationPlan.LayerOf(order[5].Name) } });
        Assert.Equal(3, pruned.Files("x").Count);
        Assert.Empty(pruned.Files("x")[0].Tensors);
    }

    [Fact]
    public void A_split_that_cannot_be_made_is_refused_in_one_line()
    {
        using ModelFile source = ModelFile.Open(SampleModel.At("F32")), folder = ModelFile.Open(Shared.TinyModel);
        Assert.Contains("--split-max-size", Refusal(source, new() { Keep = true }), StringComparison.Ordinal);
        Assert.Contains("--split-max-size", Refusal(folder, new() { Keep = true }), StringComparison.Ordinal);
        Assert.Contains("--keep-split", Refusal(source, new() { Keep = true, MaxBytes = 1_000_000 }), StringComparison.Ordinal);
        Refusal(source, new() { MaxBytes = 0 });
        Refusal(source, new() { MaxTensors = -1 });

        static string Refusal(ModelFile file, SplitOptions split)
        {
            string message = Assert.Throws<NibbleException>(() => QuantizationPlan.Create(file, Recipe.Parse("Q4_0"), new() { Split = split })).Message;
            Assert.DoesNotContain(message, char.IsControl);
            return message;
        }
    }

    [Fact]
    public void A_part_that_cannot_have_its_name_leaves_all_as_it_was()
    {
        using TemporaryFolder folder = new();
        using ModelFile source = ModelFile.Open(SampleModel.At("F32"));
        QuantizationPlan plan = QuantizationPlan.Create(source, Recipe.Parse("Q4_0"), new() { Split = new() { MaxTensors = 13 } });
        folder.Write("out-00003-of-00003.gguf", "old 3");
        string blocked = folder.At("out-00002-of-00003.gguf");
        using GgufWriter writer = GgufWriter.Create(plan.Files(folder.At("out")));
        foreach (PlannedTensor tensor in plan.Tensors) writer.Write(new byte[tensor.Target.Bytes]);
        folder.Write("out-00002-of-00003.gguf/in-the-way", "");
        Assert.StartsWith(blocked, Assert.Throws<NibbleException>(writer.Commit).Message, StringComparison.Ordinal);
        writer.Dispose();
        Assert.Equal(["out-00002-of-00003.gguf", "out-00003-of-00003.gguf"], folder.Names);
        Assert.Equal("old 3", File.ReadAllText(folder.At("out-00003-of-00003.gguf")));
    }

    [Fact]
    public void Parts_replace_older_ones_and_leave_nothing_beside_them()
    {
        using TemporaryFolder folder = new();
        using ModelFile source = ModelFile.Open(SampleModel.At("F32"));
        QuantizationPlan plan = QuantizationPlan.Create(source, Recipe.Parse("Q4_0"), new() { Split = new() { MaxTensors = 20 } });
        for (int i = 1; i <= 2; i++) folder.Write($"out-0000{i}-of-00002.gguf", "old");
        Quantizer.Write(source, plan, folder.At("out"));
        Assert.Equal(["out-00001-of-00002.gguf", "out-00002-of-00002.gguf"], folder.Names);
        using ModelFile expected = ModelFile.Open(SampleModel.At("Q4_0")), result = ModelFile.Open(folder.At("out-00001-of-00002.gguf"));
        AssertSame(expected, result);
    }

    private static void AssertSame(ModelFile expected, ModelFile actual)
    {
        foreach (TensorInfo tensor in expected.Tensors)
        {
            TensorInfo same = actual.Find(tensor.Name)!;
            Assert.Equal(tensor.TypeName, same.TypeName);
            Assert.True(expected.Read(tensor).AsSpan<byte>().SequenceEqual(actual.Read(same).AsSpan<byte>()), tensor.Name);
        }
    }
}
