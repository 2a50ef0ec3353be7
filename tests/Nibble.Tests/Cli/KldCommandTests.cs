using System.Text.Json;

namespace Nibble.Tests.Cli;

public class KldCommandTests
{
    private static string Text => Path.Combine(Shared.TinyModel, "sample.txt");

    [Fact]
    public void A_variant_is_measured_against_its_base_and_against_what_was_saved_of_it()
    {
        using TemporaryFolder folder = new();
        using JsonDocument direct = Json("kld", SampleModel.At("F32"), SampleModel.At("Q4_K_M"), "--text", Text, "--windows", "6", "--json");
        string said = NibbleProcess.Run("kld", SampleModel.At("F32"), "--text", Text, "--windows", "6", "--save-base", folder.At("tiny.base")).Success().Output;
        Assert.Contains("% of all scores", said, StringComparison.Ordinal);
        using JsonDocument saved = Json("kld", folder.At("tiny.base"), SampleModel.At("Q4_K_M"), "--json");
        foreach (string key in new[] { "pplRatio", "sameTop", "basePpl", "ppl" }) Assert.Equal(Number(direct, key), Number(saved, key), 1e-5 * Number(direct, key));
        Assert.InRange(Number(saved, "meanKld") / Number(direct, "meanKld"), 0.95, 1.05);
        foreach (string key in new[] { "medianKld", "p90Kld", "p95Kld", "p99Kld", "p999Kld", "maxKld", "correlation", "meanDeltaP", "rmsDeltaP" }) Assert.True(double.IsFinite(Number(direct, key)), key);
        Assert.Contains("--text", NibbleProcess.Run("kld", folder.At("tiny.base"), SampleModel.At("Q4_K_M"), "--text", Text).Refusal(), StringComparison.Ordinal);
        string table = NibbleProcess.Run("kld", folder.At("tiny.base"), SampleModel.At("Q4_K_M")).Success().Output;
        Assert.Contains("mean KL divergence", table, StringComparison.Ordinal);
        Assert.Contains("saved base", table, StringComparison.Ordinal);
    }

    [Fact]
    public void A_card_is_stored_and_shown()
    {
        using TemporaryFolder folder = new();
        string path = folder.At("tiny-Q4_K_M.gguf");
        File.Copy(SampleModel.At("Q4_K_M"), path);
        Assert.Contains("nobody has measured it", NibbleProcess.Run("show", path).Success().Output, StringComparison.Ordinal);
        NibbleProcess.Run("kld", SampleModel.At("F32"), path, "--text", Text, "--windows", "2", "--save-card").Success();
        string shown = NibbleProcess.Run("show", path).Success().Output;
        Assert.Contains("sample.txt, 254 tokens in 2 windows of 256", shown, StringComparison.Ordinal);
        Assert.Contains("KL divergence", shown, StringComparison.Ordinal);
        Assert.True(File.Exists(path + ".md"));
        using JsonDocument json = Json("show", path, "--json");
        Assert.Equal("tiny-F32.gguf", json.RootElement.GetProperty("evaluation").GetProperty("base").GetProperty("name").GetString());
        string[] shorter = ["perplexity", path, "--text", Text, "--ctx", "64", "--stride", "32", "--windows", "2", "--save-card"];
        string refused = NibbleProcess.Run(shorter).Refusal();
        Assert.Contains("has a KL divergence over 254 tokens of sample.txt (windows of 256, cache f16); a perplexity over 95 tokens", refused, StringComparison.Ordinal);
        Assert.Contains("--force", refused, StringComparison.Ordinal);
        Assert.Contains("254 tokens", NibbleProcess.Run("show", path).Success().Output, StringComparison.Ordinal);
        NibbleProcess.Run([.. shorter, "--force"]).Success();
        Assert.Contains("windows of 64, 32 apart", NibbleProcess.Run("show", path).Success().Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Quantizing_may_evaluate_in_the_same_step()
    {
        using TemporaryFolder folder = new();
        string[] options = ["--evaluate", Text, "--evaluate-windows", "2"];
        using JsonDocument json = Json(["quantize", Shared.TinyModel, "Q3_K_M", "-o", folder.At("tiny-Q3_K_M.gguf"), "--json", .. options]);
        Assert.InRange(json.RootElement.GetProperty("evaluation").GetProperty("meanKld").GetDouble(), 0.001, 0.1);
        Assert.Equal(new FileInfo(folder.At("tiny-Q3_K_M.gguf")).Length, json.RootElement.GetProperty("bytes").GetInt64());
        Assert.Equal(["tiny-Q3_K_M.gguf", "tiny-Q3_K_M.gguf.md"], folder.Names);
        Assert.Contains("--evaluate", NibbleProcess.Run(["quantize", Shared.TinyModel, "Q3_K_M", "-o", folder.At("x.gguf"), "--write-recipe", folder.At("x.json"), .. options]).Refusal(), StringComparison.Ordinal);
        folder.Write("short.txt", "too short");
        Assert.Contains("less than one window", NibbleProcess.Run("quantize", Shared.TinyModel, "Q3_K_M", "-o", folder.At("x.gguf"), "--evaluate", folder.At("short.txt")).Refusal(), StringComparison.Ordinal);
        Assert.False(File.Exists(folder.At("x.gguf")));
    }

    [Fact]
    public void A_pipeline_learns_from_the_exit_code_whether_bounds_are_kept()
    {
        string[] common = ["--base", SampleModel.At("F32"), "--text", Text, "--windows", "4"];
        NibbleProcess.Run(["check", SampleModel.At("Q8_0"), .. common, "--max-kld", "0.01", "--max-ppl-increase", "2%", "--min-same-top", "95%"]).Success();
        Assert.Contains("--max-ppl-increase is '2'; take a share, such as 2%", NibbleProcess.Run(["check", SampleModel.At("Q8_0"), .. common, "--max-ppl-increase", "2"]).Refusal(), StringComparison.Ordinal);
        NibbleResult broken = NibbleProcess.Run(["check", SampleModel.At("Q2_K"), .. common, "--max-kld", "0.01", "--max-ppl-increase", "200%", "--min-same-top", "0.95"]);
        Assert.Equal(3, broken.ExitCode);
        Assert.Contains("mean KL divergence is 0.", broken.Error, StringComparison.Ordinal);
        Assert.Contains("likeliest token is the same for", broken.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("above the base's", broken.Error, StringComparison.Ordinal);
        NibbleResult json = NibbleProcess.Run(["check", SampleModel.At("Q2_K"), .. common, "--max-kld", "0.01", "--json"]);
        Assert.Equal(3, json.ExitCode);
        using JsonDocument document = JsonDocument.Parse(json.Output);
        Assert.False(document.RootElement.GetProperty("kept").GetBoolean());
        Assert.Equal(1, document.RootElement.GetProperty("broken").GetArrayLength());
        Assert.Contains("nothing to check", NibbleProcess.Run(["check", SampleModel.At("Q2_K"), .. common]).Refusal(), StringComparison.Ordinal);
        Assert.Contains("--min-same-top", NibbleProcess.Run(["check", SampleModel.At("Q2_K"), .. common, "--min-same-top", "95"]).Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_be_compared_is_refused()
    {
        using TemporaryFolder folder = new();
        string empty = folder.Write("empty.txt", ""), few = folder.Write("few.txt", "A few words."), other = folder.At("other.gguf");
        Assert.Contains("empty", NibbleProcess.Run("kld", SampleModel.At("F32"), SampleModel.At("Q8_0"), "--text", empty).Refusal(), StringComparison.Ordinal);
        string tooShort = NibbleProcess.Run("kld", SampleModel.At("F32"), SampleModel.At("Q8_0"), "--text", few).Refusal();
        Assert.Contains("less than one window", tooShort, StringComparison.Ordinal);
        Assert.Contains(Path.GetFileName(few), tooShort, StringComparison.Ordinal);
        Assert.Equal(tooShort, NibbleProcess.Run("check", SampleModel.At("Q8_0"), "--base", SampleModel.At("F32"), "--text", few, "--max-kld", "1").Refusal());
        Assert.Contains("nope.gguf", NibbleProcess.Run("check", SampleModel.At("Q8_0"), "--base", folder.At("nope.gguf"), "--max-kld", "1").Refusal(), StringComparison.Ordinal);
        Assert.Contains("--text is missing", NibbleProcess.Run("kld", SampleModel.At("F32"), SampleModel.At("Q8_0")).Refusal(), StringComparison.Ordinal);
        Assert.Contains("name the variant", NibbleProcess.Run("kld", SampleModel.At("F32"), "--text", Text).Refusal(), StringComparison.Ordinal);
        Assert.Contains("GGUF", NibbleProcess.Run("kld", SampleModel.At("F32"), Shared.TinyModel, "--text", Text, "--save-card").Refusal(), StringComparison.Ordinal);

        File.Copy(SampleModel.At("Q8_0"), other);
        Nibble.Files.Gguf.GgufMetadata.Rewrite(other, metadata =>
        {
            string[] tokens = metadata.Strings("tokenizer.ggml.tokens")!;
            (tokens[1234], tokens[1300]) = ("somethingelse", "somethingmore");
            metadata["tokenizer.ggml.tokens"] = Nibble.Files.MetadataValue.Of(tokens);
            metadata["tokenizer.ggml.merges"] = Nibble.Files.MetadataValue.Of((string[])[]);
        });
        Assert.Contains("token 1234 is 'somethingelse'", NibbleProcess.Run("kld", SampleModel.At("F32"), other, "--text", Text).Refusal(), StringComparison.Ordinal);
    }

    private static double Number(JsonDocument json, string key) => json.RootElement.GetProperty(key).GetDouble();

    private static JsonDocument Json(params string[] arguments) => JsonDocument.Parse(NibbleProcess.Run(arguments).Success().Output);

    [Fact]
    public void Another_cache_than_that_of_a_saved_base_is_told()
    {
        using TemporaryFolder folder = new();
        NibbleProcess.Run("kld", SampleModel.At("F32"), "--text", Text, "--windows", "2", "--save-base", folder.At("tiny.base")).Success();
        NibbleResult result = NibbleProcess.Run("kld", folder.At("tiny.base"), SampleModel.At("Q8_0"), "--cache-type", "q4_0").Success();
        Assert.Contains("saved with a cache of f16", result.Error, StringComparison.Ordinal);
        Assert.Contains("with a cache of q4_0 (rotated), and one of f16 of the base", result.Output, StringComparison.Ordinal);
        using JsonDocument json = Json("kld", folder.At("tiny.base"), SampleModel.At("Q8_0"), "--cache-type-v", "q8_0", "--json");
        Assert.Equal("keys f16, values q8_0", json.RootElement.GetProperty("cache").GetString());
        Assert.Equal("f16", json.RootElement.GetProperty("baseCache").GetString());
    }

    [Theory]
    [InlineData("perplexity")]
    [InlineData("kld")]
    [InlineData("check")]
    [InlineData("save-base")]
    [InlineData("eval")]
    public void Scores_that_are_not_numbers_are_reported_with_the_file_and_the_layer(string command)
    {
        using TemporaryFolder folder = new();
        string damaged = folder.Write("damaged.gguf", SampleModel.Damaged("blk.2.ffn_up.weight"));
        string[] arguments = command switch
        {
            "perplexity" => ["perplexity", damaged],
            "kld" => ["kld", SampleModel.At("Q8_0"), damaged],
            "save-base" => ["kld", damaged, "--save-base", folder.At("base")],
            "eval" => ["eval", damaged, "--no-resume", "--task-file", folder.Write("mine.jsonl", """{"query": "The sky is", "choices": ["blue", "and or"], "gold": 1}""")],
            _ => ["check", SampleModel.At("Q8_0"), "--base", damaged, "--max-kld", "1"],
        };
        if (command != "eval") arguments = [.. arguments, "--text", Text, "--windows", "2"];
        Assert.Contains($"{damaged}: the model's scores are not a number: they begin in layer 2, between blk.2.ffn_up.weight and blk.2.ffn_down.weight",
            NibbleProcess.Run(arguments).Refusal(), StringComparison.Ordinal);
        Assert.Equal(command == "eval" ? ["damaged.gguf", "mine.jsonl"] : ["damaged.gguf"], folder.Names);
    }

    [Fact]
    public void The_error_of_a_single_token_is_unknown()
    {
        string[] one = ["--text", Text, "--ctx", "4", "--windows", "1"];
        Assert.DoesNotContain("±", NibbleProcess.Run(["perplexity", SampleModel.At("Q8_0"), .. one]).Success().Output, StringComparison.Ordinal);
        using TemporaryFolder folder = new();
        string path = folder.At("tiny.gguf");
        File.Copy(SampleModel.At("Q2_K"), path);
        string told = NibbleProcess.Run(["kld", SampleModel.At("Q8_0"), path, .. one, "--save-card"]).Success().Output;
        Assert.Contains("which leaves errors unknown", told, StringComparison.Ordinal);
        string broken = NibbleProcess.Run(["check", path, "--base", SampleModel.At("Q8_0"), .. one, "--max-kld", "0"]).Error;
        foreach (string text in new[] { told, broken, NibbleProcess.Run("show", path).Success().Output, File.ReadAllText(path + ".md") }) Assert.DoesNotContain("NaN", text, StringComparison.Ordinal);
        foreach (string[] command in new string[][] { ["perplexity", SampleModel.At("Q8_0")], ["kld", SampleModel.At("Q8_0"), SampleModel.At("Q2_K")] })
        {
            using JsonDocument json = JsonDocument.Parse(NibbleProcess.Run([.. command, .. one, "--json"]).Success().Output);
            Assert.Equal(JsonValueKind.Null, json.RootElement.GetProperty(command[0] == "kld" ? "meanKldError" : "error").ValueKind);
        }
    }
}
