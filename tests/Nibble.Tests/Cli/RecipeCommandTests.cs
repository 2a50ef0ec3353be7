using System.Globalization;
using System.Text.Json;
using Nibble.Files;

namespace Nibble.Tests.Cli;

public class RecipeCommandTests
{
    private static readonly string s_source = SampleModel.At("F32"), s_text = Path.Combine(Shared.TinyModel, "sample.txt");

    [Fact]
    public void A_model_is_made_again_and_checked_from_its_recipe()
    {
        using TemporaryFolder folder = new();
        string recipe = folder.At("r.json");
        Assert.Contains(recipe, NibbleProcess.Run("quantize", s_source, "Q3_K_M", "--layers", "first:1=Q6_K", "--override-kv", "my.key=float:0.1", "--prune-layers", "2", "-o", folder.At("a.gguf"), "--write-recipe", recipe).Success().Output, StringComparison.Ordinal);
        NibbleProcess.Run("quantize", s_source, folder.At("b.gguf"), "--recipe", recipe).Success();
        Assert.Equal(File.ReadAllBytes(folder.At("a.gguf")), File.ReadAllBytes(folder.At("b.gguf")));
        Assert.Equal($"{folder.At("b.gguf")} is what {recipe} makes\n", NibbleProcess.Run("quantize", "--verify", folder.At("b.gguf"), "--recipe", recipe).Success().Output);

        NibbleResult other = NibbleProcess.Run("quantize", "--verify", SampleModel.At("Q3_K_M"), "--recipe", recipe);
        Assert.Equal((3, ""), (other.ExitCode, other.Output));
        Assert.Contains("tensor 'blk.0.attn_k.weight' is Q3_K and should be Q6_K", other.Error, StringComparison.Ordinal);
        using JsonDocument json = JsonDocument.Parse(NibbleProcess.Run("quantize", "--verify", SampleModel.At("Q3_K_M"), "--recipe", recipe, "--json").Output);
        Assert.False(json.RootElement.GetProperty("same").GetBoolean());

        Assert.Contains("SHA-256", NibbleProcess.Run("quantize", SampleModel.At("F16"), folder.At("c.gguf"), "--recipe", recipe).Refusal(), StringComparison.Ordinal);
        Assert.False(File.Exists(folder.At("c.gguf")));
    }

    [Fact]
    public void A_split_model_is_made_again_and_checked_by_any_of_its_parts()
    {
        using TemporaryFolder folder = new();
        string recipe = folder.At("r.json");
        NibbleProcess.Run("quantize", s_source, "Q4_0", "--split-max-tensors", "20", "--resume", "-o", folder.At("a.gguf"), "--write-recipe", recipe).Success();
        NibbleProcess.Run("quantize", s_source, folder.At("b.gguf"), "--recipe", recipe).Success();
        Assert.Equal(["a-00001-of-00002.gguf", "a-00002-of-00002.gguf", "b-00001-of-00002.gguf", "b-00002-of-00002.gguf", "r.json"], folder.Names);
        NibbleProcess.Run("quantize", "--verify", folder.At("b-00002-of-00002.gguf"), "--recipe", recipe).Success();
        NibbleResult whole = NibbleProcess.Run("quantize", "--verify", SampleModel.At("Q4_0"), "--recipe", recipe);
        Assert.Equal(3, whole.ExitCode);
        Assert.Contains("in one file instead of 2 files", whole.Error, StringComparison.Ordinal);
        Assert.Contains("--split-max-size", NibbleProcess.Run("quantize", s_source, folder.At("c.gguf"), "--recipe", recipe, "--split-max-size", "1M").Refusal(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-o COPY", "--output")]
    [InlineData("-o OUT --write-recipe COPY", "--write-recipe")]
    [InlineData("-o OUT --calibrate TEXT --write-imatrix COPY", "--write-imatrix")]
    public void Nothing_is_written_over_the_model_that_is_read(string line, string part)
    {
        using TemporaryFolder folder = new();
        string copy = folder.At("copy.gguf");
        File.Copy(s_source, copy);
        string[] words = [.. line.Split(' ').Select(word => word switch { "COPY" => copy, "TEXT" => s_text, "OUT" => folder.At("out.gguf"), _ => word })];
        string message = NibbleProcess.Run(["quantize", copy, "Q4_0", .. words]).Refusal();
        Assert.Contains("is the model that is read", message, StringComparison.Ordinal);
        Assert.Contains(part, message, StringComparison.Ordinal);
        Assert.Equal(["copy.gguf"], folder.Names);
        Assert.Equal(File.ReadAllBytes(s_source), File.ReadAllBytes(copy));
    }

    [Theory]
    [InlineData("-o OUT --write-recipe OUT", "--write-recipe", "--output")]
    [InlineData("-o OUT --write-recipe DETOUR", "--write-recipe", "--output")]
    [InlineData("-o OUT --calibrate TEXT --write-imatrix OUT", "--write-imatrix", "--output")]
    [InlineData("-o OUT --calibrate TEXT --write-imatrix NEW --write-recipe NEW", "--write-imatrix", "--write-recipe")]
    [InlineData("-o OUT --calibrate TEXT --write-imatrix TEXT", "--write-imatrix", "--calibrate")]
    [InlineData("-o OUT --imatrix MATRIX --write-recipe MATRIX", "--write-recipe", "--imatrix")]
    [InlineData("-o MATRIX --imatrix MATRIX", "--output", "--imatrix")]
    [InlineData("-o OUT --tensor-types RULES --write-recipe RULES", "--write-recipe", "--tensor-types")]
    [InlineData("-o OUT --split-max-tensors 20 --write-recipe PART", "--output", "--write-recipe")]
    public void Nothing_is_written_over_what_is_read_or_written_beside_it(string line, string option, string other)
    {
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(folder.At("sub"));
        string text = folder.At("text.txt"), matrix = folder.At("i.gguf"), rules = folder.Write("rules.txt", "attn_v=Q8_0\n");
        File.Copy(s_text, text);
        File.Copy(s_source, matrix); // is not even looked at
        string[] names = folder.Names;
        string[] words = [.. line.Split(' ').Select(word => word switch
        {
            "OUT" => folder.At("out.gguf"), "TEXT" => text, "NEW" => folder.At("new"), "MATRIX" => matrix, "RULES" => rules, "PART" => folder.At("out-00002-of-00002.gguf"),
            "DETOUR" => folder.At(Path.Combine("sub", "..", "out.gguf")), _ => word,
        })];
        string message = NibbleProcess.Run(["quantize", s_source, "Q4_0", .. words]).Refusal();
        Assert.Contains(option, message, StringComparison.Ordinal);
        Assert.Contains(other, message, StringComparison.Ordinal);
        Assert.Equal(names, folder.Names);
        Assert.Equal(File.ReadAllBytes(s_text), File.ReadAllBytes(text));
        Assert.Equal(File.ReadAllBytes(s_source), File.ReadAllBytes(matrix));
    }

    [Fact]
    public void Another_result_and_another_version_are_told()
    {
        using TemporaryFolder folder = new();
        string recipe = folder.At("r.json");
        NibbleProcess.Run("quantize", s_source, "Q4_0", "-o", folder.At("a.gguf"), "--write-recipe", recipe).Success();
        string[] lines = File.ReadAllLines(recipe);
        int changed = Array.FindIndex(lines, line => line.Contains("blk.1.attn_k.weight", StringComparison.Ordinal));
        lines[changed] = $"    \"blk.1.attn_k.weight\": \"Q4_0 {new string('0', 64)}\",";
        lines[2] = "  \"version\": \"0.0.7\",";
        lines[^3] = $"    \"a.gguf\": \"{new string('0', 64)}\"";
        File.WriteAllLines(recipe, lines);
        NibbleResult result = NibbleProcess.Run("quantize", s_source, folder.At("b.gguf"), "--recipe", recipe);
        Assert.Equal(3, result.ExitCode);
        Assert.Contains("'blk.1.attn_k.weight' has other values", result.Error, StringComparison.Ordinal);
        Assert.Contains("0.0.7", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Calibrating_gives_what_two_steps_give_and_is_repeated_from_the_recipe()
    {
        using TemporaryFolder folder = new();
        string recipe = folder.At("r.json"), matrix = folder.At("i.gguf");
        NibbleProcess.Run("quantize", s_source, "Q3_K_S", "--calibrate", s_text, "--ctx", "32", "--chunks", "3", "--exclude-weights", "ffn_down", "--write-imatrix", matrix, "-o", folder.At("one.gguf"), "--write-recipe", recipe).Success();
        NibbleProcess.Run("imatrix", s_source, "--text", s_text, "--ctx", "32", "--chunks", "3", "-o", folder.At("two-i.gguf")).Success();
        Assert.Equal(File.ReadAllBytes(folder.At("two-i.gguf")), File.ReadAllBytes(matrix));
        NibbleProcess.Run("quantize", s_source, "Q3_K_S", "--imatrix", matrix, "--exclude-weights", "ffn_down", "-o", folder.At("two.gguf")).Success();
        Assert.Equal(File.ReadAllBytes(folder.At("two.gguf")), File.ReadAllBytes(folder.At("one.gguf")));
        using (ModelFile result = ModelFile.Open(folder.At("one.gguf")))
        {
            Assert.Equal("sample.txt", result.Metadata.String("quantize.imatrix.dataset"));
            Assert.Equal((24, 3), (result.Metadata.Integer("quantize.imatrix.entries_count"), result.Metadata.Integer("quantize.imatrix.chunks_count")));
        }

        NibbleProcess.Run("quantize", s_source, folder.At("again.gguf"), "--recipe", recipe, "--calibrate", s_text).Success();
        Assert.Equal(File.ReadAllBytes(folder.At("one.gguf")), File.ReadAllBytes(folder.At("again.gguf")));
        NibbleProcess.Run("quantize", s_source, folder.At("again.gguf"), "--recipe", recipe, "--imatrix", folder.At("two-i.gguf")).Success();
        Assert.Equal(File.ReadAllBytes(folder.At("one.gguf")), File.ReadAllBytes(folder.At("again.gguf")));
        Assert.Contains("--imatrix", NibbleProcess.Run("quantize", s_source, folder.At("no.gguf"), "--recipe", recipe).Refusal(), StringComparison.Ordinal);
        Assert.Contains("sample.txt", NibbleProcess.Run("quantize", s_source, folder.At("no.gguf"), "--recipe", recipe, "--calibrate", recipe).Refusal(), StringComparison.Ordinal);
        NibbleProcess.Run("imatrix", s_source, "--text", s_text, "--ctx", "32", "--chunks", "2", "-o", folder.At("other-i.gguf")).Success();
        Assert.Contains("i.gguf", NibbleProcess.Run("quantize", s_source, folder.At("no.gguf"), "--recipe", recipe, "--imatrix", folder.At("other-i.gguf")).Refusal(), StringComparison.Ordinal);
        Assert.False(File.Exists(folder.At("no.gguf")));
    }

    [Theory]
    [InlineData("--verify OUT", "--recipe")]
    [InlineData("MODEL --verify OUT --recipe RECIPE", "--verify")]
    [InlineData("MODEL --recipe nowhere.json", "nowhere.json")]
    [InlineData("MODEL --recipe TEXT", "sample.txt")]
    [InlineData("MODEL --recipe RECIPE --pure", "--pure")]
    [InlineData("MODEL --recipe RECIPE --exclude-weights a", "--exclude-weights")]
    [InlineData("MODEL Q8_0 --recipe RECIPE", "Q4_0")]
    [InlineData("MODEL OUT --recipe RECIPE -o OUT", "one file")]
    [InlineData("MODEL OUT --recipe RECIPE --calibrate TEXT", "--calibrate")]
    [InlineData("MODEL Q4_0 --write-recipe /nowhere/r.json", "/nowhere")]
    [InlineData("MODEL Q4_0 --write-recipe EMPTY", "--write-recipe is empty")]
    [InlineData("MODEL Q4_0 --recipe EMPTY", "--recipe is empty")]
    [InlineData("MODEL Q4_0 --imatrix EMPTY", "--imatrix is empty")]
    [InlineData("MODEL Q4_0 --calibrate EMPTY", "--calibrate is empty")]
    [InlineData("MODEL Q4_0 --calibrate TEXT --write-imatrix EMPTY", "--write-imatrix is empty")]
    [InlineData("MODEL Q4_0 --calibrate TEXT --write-imatrix /nowhere/i.gguf", "the folder /nowhere does not exist")]
    [InlineData("MODEL Q4_0 --calibrate SHORT -o /nowhere/out.gguf", "the folder /nowhere does not exist")]
    [InlineData("MODEL Q4_0 --calibrate SHORT --split-max-tensors 9 -o /nowhere/out.gguf", "the folder /nowhere does not exist")]
    [InlineData("MODEL Q4_0 --write-recipe OUT --dry-run", "--dry-run")]
    [InlineData("MODEL Q4_0 --calibrate TEXT --dry-run", "--dry-run")]
    [InlineData("MODEL Q4_0 --calibrate TEXT --imatrix OUT", "--calibrate")]
    [InlineData("MODEL Q4_0 --calibrate TEXT --chunks 0", "--chunks")]
    [InlineData("MODEL Q4_0 --chunks 3", "--calibrate")]
    [InlineData("MODEL Q4_0 --write-imatrix OUT", "--calibrate")]
    public void What_makes_no_sense_is_refused_in_one_line(string line, string part)
    {
        using TemporaryFolder folder = new();
        string recipe = folder.Write("r.json", """{"nibble-recipe": 1, "version": "0.1.0", "type": "Q4_0", "inputs": {"a": "HASH"}, "metadata": {}, "tensors": {}, "result": {"b": "HASH"} }"""
            .Replace("HASH", new string('a', 64), StringComparison.Ordinal));
        string[] words = [.. line.Split(' ').Select(word => word switch { "MODEL" => s_source, "TEXT" => s_text, "OUT" => folder.At("out.gguf"), "RECIPE" => recipe, "EMPTY" => "", "SHORT" => recipe, _ => word })];
        Assert.Contains(part, NibbleProcess.Run(["quantize", .. words]).Refusal(), StringComparison.Ordinal);
        Assert.Equal(["r.json"], folder.Names);
    }

    [Fact]
    public void A_dry_run_tells_the_memory_that_quantizing_takes()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "reads /proc");
        using TemporaryFolder folder = new();
        GgufModel model = new("llama");
        model.Add("blk.0.ffn_up.weight", [.. Enumerable.Range(0, 1 << 24).Select(i => MathF.Sin(i))], 1 << 11, 1 << 13); // 64 MB
        string[] arguments = ["quantize", model.Save(folder.At("model.gguf")), "Q8_0", "-o", folder.At("out.gguf"), "--json"];
        using JsonDocument json = JsonDocument.Parse(NibbleProcess.Run([.. arguments, "--dry-run"]).Success().Output);
        double foretold = json.RootElement.GetProperty("memory").GetInt64(), peak = 0;
        using System.Diagnostics.Process process = NibbleProcess.Start(arguments);
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        while (!process.WaitForExit(2)) peak = Math.Max(peak, HighWaterMark(process.Id));
        Assert.Equal(0, NibbleProcess.Finish(process, output, error).ExitCode);
        Assert.InRange(foretold, 0.75 * peak, 1.35 * peak);
    }

    private static double HighWaterMark(int id)
    {
        try
        {
            string? line = File.ReadLines($"/proc/{id}/status").FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? 0 : 1024.0 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0; // it ended between the two looks
        }
    }
}
