using System.Runtime.InteropServices;
using Nibble.Files;
using Nibble.Files.Gguf;
using Nibble.Formats;
using Nibble.Generation;
using Nibble.Quantization;

namespace Nibble.Tests.Files.Gguf;

public sealed class I2_STensorsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _plain;

    public I2_STensorsTests() => _plain = TernaryModel.Plain(_folder.At("plain.gguf"));

    public static TheoryData<string> Layouts => [.. I2_SLayout.All.Select(l => l.Name)];

    [Theory]
    [MemberData(nameof(Layouts))]
    public void The_layout_is_concluded_from_the_weights_of_a_trained_model(string name)
    {
        Assert.True(I2_SLayout.TryParse(name, out I2_SLayout? layout));
        using ModelFile file = ModelFile.Open(TernaryModel.Save(_folder.At("model.gguf"), _plain, layout));
        Assert.StartsWith($"{name} (concluded", file.LayoutNote, StringComparison.Ordinal);
        Assert.True(file.IsLayoutConcluded);
        AssertSameValues(file);
    }

    [Theory]
    [MemberData(nameof(Layouts))]
    public void Weights_that_do_not_tell_are_refused_until_the_layout_is_named(string name)
    {
        Assert.True(I2_SLayout.TryParse(name, out I2_SLayout? layout));
        string path = TernaryModel.Save(_folder.At("model.gguf"), _plain, layout, isEven: _ => true);
        using (ModelFile unknown = ModelFile.Open(path))
        {
            TensorInfo tensor = unknown.Find("blk.0.attn_q.weight")!;
            string message = Assert.Throws<NibbleException>(() => unknown.Read(tensor)).Message;
            Assert.StartsWith(path, message, StringComparison.Ordinal);
            Assert.Contains("--i2s-layout (x86, arm, rows4)", message, StringComparison.Ordinal);
            Assert.Contains("unknown", unknown.LayoutNote, StringComparison.Ordinal);
            Assert.Equal(message, Assert.Throws<NibbleException>(() => LanguageModel.Open(path, 1)).Message);
        }
        using ModelFile file = ModelFile.Open(path, layout);
        Assert.False(file.IsLayoutConcluded);
        AssertSameValues(file);
    }

    [Theory]
    [InlineData("bitnet-b1.58")]
    [InlineData("bitnet-25")]
    public void Weights_that_do_not_tell_have_the_layout_of_the_only_program_that_makes_files_of_their_architecture(string architecture)
    {
        using ModelFile file = ModelFile.Open(Save(I2_SLayout.X86, _ => true));
        Assert.StartsWith($"x86 (as files of the architecture {architecture} have it", file.LayoutNote, StringComparison.Ordinal);
        Assert.True(file.IsLayoutConcluded);
        AssertSameValues(file);

        using ModelFile other = ModelFile.Open(Save(I2_SLayout.Arm, _ => false));
        Assert.StartsWith("arm (concluded", other.LayoutNote, StringComparison.Ordinal);
        AssertSameValues(other);

        // The norms of one layer tell something, but not enough.
        using ModelFile doubtful = ModelFile.Open(Save(I2_SLayout.Arm, name => !name.StartsWith("blk.0.", StringComparison.Ordinal)));
        Assert.StartsWith($"unknown (not clear: files of the architecture {architecture} have x86", doubtful.LayoutNote, StringComparison.Ordinal);

        string Save(I2_SLayout layout, Func<string, bool> isEven) =>
            TernaryModel.Save(_folder.At($"{layout}.gguf"), _plain, layout, m => m["general.architecture"] = MetadataValue.Of(architecture), isEven);
    }

    [Fact]
    public void What_the_metadata_says_counts_more_than_the_weights_and_what_the_user_says_most()
    {
        string path = TernaryModel.Save(_folder.At("model.gguf"), _plain, I2_SLayout.Arm, m => m[I2_STensors.LayoutKey] = MetadataValue.Of("rows4"));
        using ModelFile file = ModelFile.Open(path), asked = ModelFile.Open(path, I2_SLayout.Arm);
        Assert.Equal("rows4 (as the metadata says)", file.LayoutNote);
        AssertSameValues(asked);
        using ModelFile unknown = ModelFile.Open(TernaryModel.Save(_folder.At("unknown.gguf"), _plain, I2_SLayout.Arm, m => m[I2_STensors.LayoutKey] = MetadataValue.Of("mips")));
        Assert.Contains("'mips'", Assert.Throws<NibbleException>(() => unknown.LayoutNote).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Quantizing_a_ternary_model_writes_what_bitnet_writes_and_loses_nothing()
    {
        string path = _folder.At("out.gguf");
        using (ModelFile source = ModelFile.Open(_plain))
        {
            QuantizationResult result = Quantizer.Write(source, QuantizationPlan.Create(source, Recipe.Parse("i2_s")), path);
            Assert.All(result.Errors.Where(e => e?.Tensor.Target.TypeName == "I2_S"), e => Assert.Equal((0, false), (e!.Relative, e.IsSuspicious)));
        }
        using ModelFile file = ModelFile.Open(path), expected = ModelFile.Open(TernaryModel.Save(_folder.At("model.gguf"), _plain, I2_SLayout.X86), I2_SLayout.X86);
        Assert.Equal("x86 (as the metadata says)", file.LayoutNote);
        Assert.Equal(new ContentLevel("I2_S", true), ContentLevel.Of(file));
        Assert.Equal("F16", file.Find("token_embd.weight")!.TypeName);
        foreach (TensorInfo tensor in file.Tensors.Where(I2_STensors.Is))
            Assert.Equal(expected.Read(expected.Find(tensor.Name)!).AsSpan<byte>(), file.Read(tensor).AsSpan<byte>());
    }

    [Fact]
    public void A_file_in_another_layout_is_copied_in_that_of_x86_and_converted_back()
    {
        string path = TernaryModel.Save(_folder.At("model.gguf"), _plain, I2_SLayout.Rows4);
        using (ModelFile source = ModelFile.Open(path, I2_SLayout.Rows4))
        {
            Quantizer.Write(source, QuantizationPlan.Create(source, Recipe.Parse("I2_S")), _folder.At("copy.gguf"));
            Quantizer.Write(source, QuantizationPlan.Create(source, Recipe.Parse("F32"), new() { AllowRequantize = true }), _folder.At("back.gguf"));
        }
        using ModelFile copy = ModelFile.Open(_folder.At("copy.gguf")), back = ModelFile.Open(_folder.At("back.gguf"));
        AssertSameValues(copy);
        AssertSameValues(back);
        Assert.False(back.Metadata.Contains(I2_STensors.LayoutKey));
    }

    [Theory]
    [MemberData(nameof(Layouts))]
    public void A_ternary_model_says_what_its_plain_self_says(string name)
    {
        Assert.True(I2_SLayout.TryParse(name, out I2_SLayout? layout));
        using LanguageModel packed = LanguageModel.Open(TernaryModel.Save(_folder.At("model.gguf"), _plain, layout), 1), plain = LanguageModel.Open(_plain, 1);
        Assert.Equal(Text(plain), Text(packed));

        static string Text(LanguageModel model)
        {
            using TextGenerator generator = new(model, model.ContextFor(null));
            return model.Tokenizer.Decode([.. generator.Generate(model.Tokenizer.Encode("Once upon a time"), new() { Temperature = 0, MaxTokens = 12 })]);
        }
    }

    [Fact]
    public void What_is_not_ternary_is_refused()
    {
        string path = TernaryModel.Save(_folder.At("model.gguf"), _plain, I2_SLayout.X86);
        byte[] bytes = File.ReadAllBytes(path);
        long scale, codes;
        using (ModelFile file = ModelFile.Open(path))
        {
            ReadOnlySpan<byte> tensor = file.Read(file.Find("blk.0.attn_k.weight")!).AsSpan<byte>();
            codes = bytes.AsSpan().IndexOf(tensor);
            scale = codes + tensor.Length - 32;
        }
        foreach ((long place, byte[] damage) in new[] { (scale, BitConverter.GetBytes(float.NaN)), (scale, BitConverter.GetBytes(-1f)), (codes + 5, [0x0c]) })
        {
            byte[] damaged = [.. bytes];
            damage.CopyTo(damaged, place);
            File.WriteAllBytes(_folder.At("damaged.gguf"), damaged);
            using ModelFile file = ModelFile.Open(_folder.At("damaged.gguf"), I2_SLayout.X86);
            Assert.Contains("not those of ternary weights", Assert.Throws<NibbleException>(() => file.LayoutNote).Message, StringComparison.Ordinal);
        }
    }

    /// <summary>The number 36 with the size of the type that had it before.</summary>
    [Fact]
    public void A_file_of_the_retired_type_with_the_same_number_is_refused_by_its_size()
    {
        WeightFormat sameSize = WeightFormat.Of<IQ4_NL>();
        string path = _folder.At("old.gguf");
        using (GgufWriter writer = GgufWriter.Create(path, new GgufModel("llama").Metadata, [new("blk.0.attn_q.weight", [256, 64], "IQ4_NL", sameSize, sameSize.ByteSize(256 * 64))]))
        {
            writer.Write(new byte[sameSize.ByteSize(256 * 64)]);
            writer.Commit();
        }
        byte[] bytes = File.ReadAllBytes(path);
        int name = bytes.AsSpan().IndexOf("blk.0.attn_q.weight"u8);
        bytes[name + 19 + 4 + 16] = 36; // name, number of dimensions, two sizes, type
        File.WriteAllBytes(path, bytes);
        Assert.Contains("IQ4_NL_4_4", Assert.Throws<NibbleException>(() => ModelFile.Open(path)).Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private void AssertSameValues(ModelFile file)
    {
        using ModelFile plain = ModelFile.Open(_plain);
        foreach (TensorInfo tensor in plain.Tensors.Where(t => t.Dimensions.Count == 2 && t.Name.StartsWith("blk.", StringComparison.Ordinal)))
        {
            TensorInfo packed = file.Find(tensor.Name)!;
            float[] values = new float[tensor.Count], rows = new float[5 * tensor.Columns];
            packed.Format!.Dequantize(file.Read(packed).AsSpan<byte>(), values);
            Assert.Equal(MemoryMarshal.Cast<byte, float>(plain.Read(tensor).AsSpan<byte>()), values);
            packed.Format.Dequantize(file.Read(packed, 6, 5).AsSpan<byte>(), file.ReadTail(packed), rows);
            Assert.Equal(values[(int)(6 * tensor.Columns)..(int)(11 * tensor.Columns)], rows);
        }
    }
}
