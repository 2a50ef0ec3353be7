using System.Text.Json;
using Nibble.Files;
using Nibble.Quantization;
using Nibble.Quantization.Importance;

namespace Nibble.Tests.Cli;

public class QuantizeCommandTests
{
    private static readonly string s_source = SampleModel.At("F32");

    [Fact]
    public void An_importance_matrix_is_used_and_recorded()
    {
        using TemporaryFolder folder = new();
        string matrix = Shared.Find("golden/tiny-imatrix.dat");
        NibbleProcess.Run("quantize", s_source, "Q3_K_M", "--imatrix", matrix, "-o", folder.At("out.gguf")).Success();
        using ModelFile result = ModelFile.Open(folder.At("out.gguf")), source = ModelFile.Open(s_source);
        Assert.Equal(matrix, result.Metadata.String("quantize.imatrix.file"));
        Assert.Equal("vectors", result.Metadata.String("quantize.imatrix.dataset"));
        Assert.Equal((29, 1), (result.Metadata.Integer("quantize.imatrix.entries_count"), result.Metadata.Integer("quantize.imatrix.chunks_count")));

        Quantizer.Write(source, QuantizationPlan.Create(source, Recipe.Parse("Q3_K_M"), new() { Importance = ImportanceFile.Read(matrix).Means() }), folder.At("library.gguf"));
        using ModelFile library = ModelFile.Open(folder.At("library.gguf")), without = ModelFile.Open(SampleModel.At("Q3_K_M"));
        Assert.Equal([], Different(library, result));
        Assert.Contains("blk.0.attn_q.weight", Different(without, result));
    }

    [Fact]
    public void Weights_are_included_and_excluded_by_a_part_of_their_name()
    {
        using TemporaryFolder folder = new();
        string matrix = Shared.Find("golden/tiny-imatrix.dat");
        NibbleProcess.Run("quantize", s_source, "Q4_K_S", "--imatrix", matrix, "--include-weights", "ffn_up", "--include-weights", "attn_q", "-o", folder.At("out.gguf")).Success();
        using ModelFile result = ModelFile.Open(folder.At("out.gguf")), without = ModelFile.Open(SampleModel.At("Q4_K_S"));
        Assert.Equal(["blk.0.attn_q.weight", "blk.0.ffn_up.weight", "blk.1.attn_q.weight", "blk.1.ffn_up.weight", "blk.2.attn_q.weight", "blk.2.ffn_up.weight", "blk.3.attn_q.weight", "blk.3.ffn_up.weight"], Different(without, result));
        Assert.Equal(8, result.Metadata.Integer("quantize.imatrix.entries_count"));

        NibbleResult excluded = NibbleProcess.Run("quantize", s_source, "Q4_K_S", "--imatrix", matrix, "--exclude-weights", "blk.", "--exclude-weights", "nothing", "-o", folder.At("none.gguf")).Success();
        Assert.Contains("--exclude-weights nothing does nothing", excluded.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("--exclude-weights blk.", excluded.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--output-tensor-type Q6_K --leave-output-tensor", "--leave-output-tensor")]
    [InlineData("--exclude-weights ffn", "--imatrix")]
    [InlineData("--imatrix MATRIX --exclude-weights ffn --include-weights attn", "take one")]
    [InlineData("--layers 2-9=Q6_K", "has 4")]
    [InlineData("--layers 4=Q6_K", "'4=Q6_K'")]
    [InlineData("--output-tensor-type Q5_K_X", "--output-tensor-type")]
    [InlineData("--calibrate nowhere.txt", "nowhere.txt: no such file")]
    [InlineData("--recipe nowhere.json", "nowhere.json: no such file")]
    [InlineData("--recipe MODEL", "is no recipe")]
    [InlineData("--tensor-types RULES", "rules.txt: line 2: ")]
    public void What_contradicts_itself_is_refused_in_one_line(string line, string part)
    {
        using TemporaryFolder folder = new();
        string rules = folder.Write("rules.txt", "attn_v=Q8_0\nffn_up\n");
        string[] words = [.. line.Split(' ').Select(word => word switch { "MATRIX" => Shared.Find("golden/tiny-imatrix.dat"), "MODEL" => s_source, "RULES" => rules, _ => word })];
        Assert.Contains(part, NibbleProcess.Run(["quantize", s_source, .. line.Contains("--recipe", StringComparison.Ordinal) ? (string[])[] : ["Q4_0"], .. words, "-o", folder.At("out.gguf")]).Refusal(), StringComparison.Ordinal);
        Assert.Equal(["rules.txt"], folder.Names);
    }

    [Fact]
    public void A_type_that_is_not_for_the_model_is_told_in_one_line()
    {
        using TemporaryFolder folder = new();
        string output = NibbleProcess.Run("quantize", s_source, "I2_S", "-o", folder.At("out.gguf")).Success().Output;
        string line = Assert.Single(output.Split('\n'), line => line.StartsWith("suspicious:", StringComparison.Ordinal));
        Assert.Matches("^suspicious: [0-9]+ tensors have errors of .* where I2_S usually has ", line);
    }

    [Fact]
    public void The_output_may_have_the_type_of_a_recipe_and_rules_that_find_nothing_are_told()
    {
        using TemporaryFolder folder = new();
        NibbleResult result = NibbleProcess.Run("quantize", s_source, "Q4_K_M", "--layers", "first:1=Q6_K", "--output-tensor-type", "Q5_K_M", "--tensor-type", "atn_v=Q8_0", "--tensor-type", "attn_q=Q8_0", "-o", folder.At("out.gguf"), "--json").Success();
        using JsonDocument json = JsonDocument.Parse(result.Output);
        Assert.Contains("atn_v=Q8_0 finds no matrix", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("attn_q=Q8_0", result.Error, StringComparison.Ordinal);
        Assert.Equal(1, json.RootElement.GetProperty("unmatchedRules").GetInt32());
        using ModelFile made = ModelFile.Open(folder.At("out.gguf"));
        Assert.Equal(("Q5_K", "Q6_K", "Q4_K"), (made.Find("output.weight")!.TypeName, made.Find("blk.0.attn_k.weight")!.TypeName, made.Find("blk.1.attn_k.weight")!.TypeName));
    }

    [Fact]
    public void Without_a_matrix_a_recipe_that_needs_one_writes_nothing()
    {
        using TemporaryFolder folder = new();
        Assert.Contains("blk.0.attn_k.weight", NibbleProcess.Run("quantize", s_source, "IQ2_XS", "-o", folder.At("out.gguf")).Refusal(), StringComparison.Ordinal);
        Assert.Contains("output.weight", NibbleProcess.Run("quantize", s_source, "Q4_0", "--output-tensor-type", "IQ1_S", "-o", folder.At("out.gguf")).Refusal(), StringComparison.Ordinal);
        Assert.Empty(folder.Names);
    }

    [Fact]
    public void Mixed_precision_is_one_line_and_a_dry_run_foretells_the_size()
    {
        using TemporaryFolder folder = new();
        string rules = folder.Write("rules.txt", "attn_v=Q8_0 # values\n\n# ffn_gate=Q8_0\nffn_gate=Q5_0\tffn_up=Q5_1\r\n");
        string[] arguments = ["quantize", s_source, "Q4_K_M", "--layers", "first:1=Q6_K", "--output-tensor-type", "q5_k", "--tensor-types", rules, "--tensor-type", "blk.3.attn_v=F16", "-o", folder.At("out.gguf"), "--json"];
        using JsonDocument preview = JsonDocument.Parse(NibbleProcess.Run([.. arguments, "--dry-run"]).Success().Output);
        Assert.Equal(["rules.txt"], folder.Names);
        using JsonDocument done = JsonDocument.Parse(NibbleProcess.Run(arguments).Success().Output);
        Assert.Equal(new FileInfo(folder.At("out.gguf")).Length, preview.RootElement.GetProperty("bytes").GetInt64());
        Assert.Equal(Planned(done), Planned(preview));

        using ModelFile result = ModelFile.Open(folder.At("out.gguf"));
        foreach ((string name, string type) in new[] { ("output", "Q5_K"), ("blk.0.attn_q", "Q6_K"), ("blk.0.attn_v", "Q8_0"), ("blk.3.attn_v", "F16"), ("blk.1.attn_q", "Q4_K"), ("blk.2.ffn_gate", "Q5_0"), ("blk.0.ffn_up", "Q5_1") })
            Assert.Equal((name, type), (name, result.Find(name + ".weight")!.TypeName));
    }

    /// <summary>What a plan says of every tensor; its error is known only afterwards.</summary>
    private static (string?, string?, long)[] Planned(JsonDocument result) =>
        [.. result.RootElement.GetProperty("tensors").EnumerateArray().Select(t => (t.GetProperty("name").GetString(), t.GetProperty("to").GetString(), t.GetProperty("bytes").GetInt64()))];

    [Fact]
    public void Metadata_and_layers_are_changed_as_asked()
    {
        using TemporaryFolder folder = new();
        NibbleProcess.Run("quantize", s_source, "Q4_0", "--prune-layers", "1, 2", "--override-kv", "llama.context_length=int:64", "--override-kv", "my.factor=float:-1.5e-3",
            "--override-kv", "my.flag=bool:true", "--override-kv", "my.text=str:a=b:c", "--override-kv", "my.minus=int:-7", "-o", folder.At("out.gguf")).Success();
        using ModelFile result = ModelFile.Open(folder.At("out.gguf"));
        Assert.Equal((64, -7, 2), (result.Metadata.Integer("llama.context_length"), result.Metadata.Integer("my.minus"), result.Metadata.Integer("llama.block_count")));
        Assert.Equal((-1.5e-3f, true, "a=b:c"), ((float)result.Metadata.Float("my.factor")!, result.Metadata.Bool("my.flag"), result.Metadata.String("my.text")));
        Assert.Equal(3 + 2 * 9, result.Tensors.Count);
        NibbleProcess.Run("run", folder.At("out.gguf"), "Hello", "-n", "3").Success();
    }

    [Theory]
    [InlineData("--override-kv a=int:x")]
    [InlineData("--override-kv a=number:1")]
    [InlineData("--override-kv a")]
    [InlineData("--prune-layers x")]
    [InlineData("--prune-layers 4")]
    [InlineData("--output-tensor-type Q4_K_X")]
    [InlineData("--tensor-type attn_v")]
    [InlineData("--tensor-type [=Q8_0")]
    [InlineData("--layers 2")]
    [InlineData("--imatrix nowhere.gguf")]
    public void A_wrong_option_is_refused_in_one_line(string option)
    {
        using TemporaryFolder folder = new();
        NibbleProcess.Run(["quantize", s_source, "Q4_0", .. option.Split(' '), "-o", folder.At("out.gguf")]).Refusal();
        Assert.Empty(folder.Names);
    }

    /// <summary>The names of tensors whose bytes are not the same.</summary>
    private static string[] Different(ModelFile expected, ModelFile actual) => [.. actual.Tensors
        .Where(t => !expected.Read(expected.Find(t.Name)!).AsSpan<byte>().SequenceEqual(actual.Read(t).AsSpan<byte>())).Select(t => t.Name).Order(StringComparer.Ordinal)];
}
