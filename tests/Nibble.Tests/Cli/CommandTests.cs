using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Nibble.Files;
using Nibble.Generation;

namespace Nibble.Tests.Cli;

/// <summary>The commands on the sample model.</summary>
public class CommandTests
{
    private const string Prompt = "It was a bright morning, and the captain";

    [Fact]
    public void Run_prints_the_generated_text_alone_when_quiet()
    {
        NibbleResult result = NibbleProcess.Run("run", SampleModel.At("F32"), Prompt, "--temp", "0", "-n", "64", "--quiet").Success();
        Assert.Equal(GoldenText() + Environment.NewLine, result.Output);
        Assert.Equal("", result.Error);
    }

    [Fact]
    public void Run_prints_prompt_and_text_and_tells_the_speed()
    {
        using TemporaryFolder folder = new();
        string[] options = ["--temp", "0", "-n", "12"];
        NibbleResult result = NibbleProcess.Run(["run", SampleModel.At("Q8_0"), Prompt, .. options]).Success();
        Assert.StartsWith(Prompt, result.Output, StringComparison.Ordinal);
        Assert.Contains("11 tokens", result.Error, StringComparison.Ordinal);
        Assert.Contains("tokens/s", result.Error, StringComparison.Ordinal);
        Assert.Equal(result.Output, NibbleProcess.Run(["run", SampleModel.At("Q8_0"), "--file", folder.Write("prompt.txt", Prompt), .. options]).Success().Output);
        Assert.Equal(result.Output, NibbleProcess.Run(["run", SampleModel.At("Q8_0"), "--file", folder.Write("line.txt", Prompt + "\n"), .. options]).Success().Output);
        Assert.Equal(result.Output, NibbleProcess.Run(["run", SampleModel.At("Q8_0"), .. options], Prompt + "\n").Success().Output);
        Assert.Equal(result.Output, NibbleProcess.Run(["run", SampleModel.At("Q8_0"), "-p", Prompt, .. options]).Success().Output);
    }

    [Fact]
    public void Run_with_a_seed_gives_the_same_text_whatever_the_thread_count()
    {
        HashSet<string> texts = [];
        foreach (string threads in new[] { "1", "2", "3" }) texts.Add(NibbleProcess.Run("run", SampleModel.At("Q4_K_M"), Prompt, "--seed", "7", "-n", "20", "-t", threads, "--quiet").Success().Output);
        Assert.Single(texts);
    }

    [Fact]
    public void Run_as_json()
    {
        using JsonDocument json = Json("run", SampleModel.At("F32"), Prompt, "--temp", "0", "-n", "64", "--json");
        Assert.Equal(GoldenText(), json.RootElement.GetProperty("text").GetString());
        Assert.Equal(64, json.RootElement.GetProperty("tokens").GetArrayLength());
        Assert.Equal("length", json.RootElement.GetProperty("stop").GetString());
        Assert.Equal(11, json.RootElement.GetProperty("promptTokens").GetInt32());
    }

    [Fact]
    public void Keys_and_values_may_be_stored_in_fewer_bits()
    {
        double[] perplexities = [.. new string[][] { [], ["-ctk", "F32", "-ctv", "f32"], ["--cache-type", "q4_0"], ["--cache-type-k", "q4_0", "--cache-type-v", "Q4_0", "--cache-rotate", "off"] }.Select(options =>
        {
            using JsonDocument json = Json(["perplexity", SampleModel.At("F32"), "--text", Path.Combine(Shared.TinyModel, "sample.txt"), "--windows", "6", "--json", .. options]);
            return json.RootElement.GetProperty("perplexity").GetDouble();
        })];
        Assert.InRange(perplexities[1] / perplexities[0], 0.999, 1.001);
        Assert.InRange(perplexities[2] / perplexities[0], 0.97, 1.05);
        Assert.NotEqual(perplexities[2], perplexities[3]);
        Assert.NotEqual("", NibbleProcess.Run("run", SampleModel.At("Q8_0"), Prompt, "--temp", "0", "-n", "4", "--quiet", "-ctk", "q8_0", "-ctv", "q5_0").Success().Output);
    }

    [Fact]
    public void Quantize_writes_beside_the_input_by_default()
    {
        using TemporaryFolder folder = new();
        File.Copy(SampleModel.At("F32"), folder.At("tiny-F32.gguf"));
        NibbleResult result = NibbleProcess.Run("quantize", folder.At("tiny-F32.gguf")).Success();
        Assert.Equal(["tiny-F32.gguf", "tiny-Q4_K_M.gguf"], folder.Names);
        Assert.Equal(File.ReadAllBytes(SampleModel.At("Q4_K_M")), File.ReadAllBytes(folder.At("tiny-Q4_K_M.gguf")));
        Assert.Contains("blk.3.ffn_down.weight", result.Output, StringComparison.Ordinal);
        Assert.Contains("Q6_K", result.Output, StringComparison.Ordinal);
        Assert.Contains("5.10 bits per weight", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("q2_k", "Q2_K")]
    [InlineData("Q5_K", "Q5_K_M")]
    public void Quantize_as_json(string type, string level)
    {
        using TemporaryFolder folder = new();
        using JsonDocument json = Json("quantize", SampleModel.At("F32"), type, "-o", folder.At("out.gguf"), "--json");
        Assert.Equal(level, json.RootElement.GetProperty("type").GetString());
        Assert.Equal(new FileInfo(folder.At("out.gguf")).Length, json.RootElement.GetProperty("bytes").GetInt64());
        Assert.Equal(39, json.RootElement.GetProperty("tensors").GetArrayLength());
        Assert.Equal("F32", json.RootElement.GetProperty("tensors")[0].GetProperty("from").GetString());
        Assert.Equal(File.ReadAllBytes(SampleModel.At(level)), File.ReadAllBytes(folder.At("out.gguf")));
    }

    [Fact]
    public void Quantize_tells_the_errors()
    {
        using TemporaryFolder folder = new();
        using JsonDocument json = Json("quantize", SampleModel.At("F32"), "Q4_K_M", "-o", folder.At("out.gguf"), "--json");
        foreach (JsonElement tensor in json.RootElement.GetProperty("tensors").EnumerateArray())
        {
            bool isConverted = tensor.GetProperty("from").GetString() != tensor.GetProperty("to").GetString();
            Assert.Equal(isConverted, tensor.TryGetProperty("relativeError", out JsonElement error));
            Assert.Equal(isConverted, tensor.TryGetProperty("cosine", out JsonElement cosine));
            Assert.False(tensor.TryGetProperty("suspicious", out _));
            if (!isConverted) continue;
            Assert.InRange(error.GetDouble(), 0.01, 0.1);
            Assert.Equal(1 - error.GetDouble() * error.GetDouble() / 2, cosine.GetDouble(), 1e-3); // of a small error that leaves the length as it is
        }
        Assert.DoesNotContain("relativeError", NibbleProcess.Run("quantize", SampleModel.At("F32"), "-o", folder.At("out.gguf"), "--json", "--no-check").Success().Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Quantize_flags_a_tensor_that_its_type_cannot_hold()
    {
        using TemporaryFolder folder = new();
        GgufModel model = new("llama");
        Random random = new(4);
        model.Add("blk.0.attn_q.weight", [.. Enumerable.Range(0, 4096).Select(i => 1e-6f * MathF.Sin(i))], 256, 16);
        model.Add("blk.1.attn_q.weight", [.. Enumerable.Range(0, 4096).Select(_ => random.NextSingle() - 0.5f)], 256, 16);
        string path = model.Save(folder.At("model.gguf"));
        using JsonDocument json = Json("quantize", path, "Q8_0", "-o", folder.At("out.gguf"), "--json");
        JsonElement tensors = json.RootElement.GetProperty("tensors");
        Assert.True(tensors[0].GetProperty("suspicious").GetBoolean());
        Assert.False(tensors[1].TryGetProperty("suspicious", out _));
        string table = NibbleProcess.Run("quantize", path, "Q8_0", "-o", folder.At("out.gguf")).Success().Output;
        Assert.Contains("suspicious: blk.0.attn_q.weight", table, StringComparison.Ordinal);
        Assert.DoesNotContain("suspicious: blk.1.attn_q.weight", table, StringComparison.Ordinal);
    }

    [Fact]
    public void Quantize_writes_nothing_above_the_largest_error_allowed()
    {
        using TemporaryFolder folder = new();
        NibbleResult result = NibbleProcess.Run("quantize", SampleModel.At("F32"), "Q4_0", "-o", folder.At("out.gguf"), "--max-error", "0.01");
        Assert.Equal((3, ""), (result.ExitCode, result.Output));
        Assert.Matches(@"(?m)^nibble: .*tensor '[a-z0-9_.]+' has a relative error of 0\.\d+ as Q4_0.*--max-error\n$", result.Error);
        Assert.Empty(folder.Names);
        Assert.Contains("--max-error", NibbleProcess.Run("quantize", SampleModel.At("F32"), "Q4_0", "-o", folder.At("out.gguf"), "--max-error", "-1").Refusal(), StringComparison.Ordinal);
        NibbleProcess.Run("quantize", SampleModel.At("F32"), "Q4_0", "-o", folder.At("out.gguf"), "--max-error", "0.2").Success();
    }

    [Fact]
    public void Quantize_takes_values_that_are_no_numbers_only_where_allowed()
    {
        using TemporaryFolder folder = new();
        GgufModel model = new("llama");
        float[] values = [.. Enumerable.Range(0, 1024).Select(i => MathF.Sin(i))];
        values[300] = float.NaN;
        model.Add("blk.0.attn_q.weight", values, 256, 4);
        string path = model.Save(folder.At("model.gguf"));
        string error = NibbleProcess.Run("quantize", path, "BF16", "-o", folder.At("out.gguf")).Refusal();
        Assert.Contains("blk.0.attn_q.weight", error, StringComparison.Ordinal);
        Assert.Contains("--allow-nan", error, StringComparison.Ordinal);
        Assert.Contains("NaN or infinite", error, StringComparison.Ordinal);
        // convert takes the option that it advises.
        Assert.Contains("--allow-nan", NibbleProcess.Run("convert", path, "--type", "f16", "-o", folder.At("out.gguf")).Refusal(), StringComparison.Ordinal);
        NibbleProcess.Run("convert", path, "--type", "f16", "-o", folder.At("out.gguf"), "--allow-nan").Success();
        File.Delete(folder.At("out.gguf"));
        values[300] = 70_000;
        GgufModel large = new("llama");
        large.Add("blk.0.attn_q.weight", values, 256, 4);
        error = NibbleProcess.Run("quantize", large.Save(folder.At("model.gguf")), "F16", "-o", folder.At("out.gguf")).Refusal();
        Assert.Contains("too large for F16, which ends at 65504", error, StringComparison.Ordinal);
        Assert.DoesNotContain("damaged", error, StringComparison.Ordinal);
        values[300] = float.NaN;
        model.Save(path);
        Assert.Equal(["model.gguf"], folder.Names);
        using JsonDocument json = Json("quantize", path, "BF16", "-o", folder.At("out.gguf"), "--allow-nan", "--json");
        Assert.InRange(json.RootElement.GetProperty("tensors")[0].GetProperty("relativeError").GetDouble(), 1e-4, 3e-3);
    }

    [Fact]
    public void Perplexity_as_json_has_the_stated_keys()
    {
        string text = Shared.Find("text/wiki.test.raw");
        using JsonDocument json = Json("perplexity", SampleModel.At("Q8_0"), "--text", text, "--ctx", "128", "--windows", "3", "--json");
        Assert.Equal(["perplexity", "error", "tokens", "windows", "ctx"], json.RootElement.EnumerateObject().Select(p => p.Name));
        Assert.Equal((3 * 63, 3, 128), (json.RootElement.GetProperty("tokens").GetInt32(), json.RootElement.GetProperty("windows").GetInt32(), json.RootElement.GetProperty("ctx").GetInt32()));
        string line = NibbleProcess.Run("perplexity", SampleModel.At("Q8_0"), "--text", text, "--ctx", "128", "--windows", "3").Success().Output;
        Assert.Contains(json.RootElement.GetProperty("perplexity").GetDouble().ToString("F4", CultureInfo.InvariantCulture), line, StringComparison.Ordinal);
    }

    [Fact]
    public void Show_tells_the_facts()
    {
        string output = NibbleProcess.Run("show", SampleModel.At("Q4_K_M"), "--tensors").Success().Output;
        foreach (string part in new[] { "llama", "5.2 M", "256 tokens", "Q4_K_M", "gpt2", "4,096 tokens", "blk.0.attn_q.weight", "general.file_type" })
            Assert.Contains(part, output, StringComparison.Ordinal);
        Assert.DoesNotContain("but its tensors", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Show_says_when_name_and_content_disagree()
    {
        using TemporaryFolder folder = new();
        string path = folder.At("tiny-q4_k_m.gguf");
        File.Copy(SampleModel.At("Q8_0"), path);
        Assert.Contains("the file's name says Q4_K_M, but its tensors are Q8_0", NibbleProcess.Run("show", path).Success().Output, StringComparison.Ordinal);
        using JsonDocument json = Json("show", path, "--json", "--tensors");
        Assert.Equal("Q4_K_M", json.RootElement.GetProperty("levelInName").GetString());
        Assert.Equal("Q8_0", json.RootElement.GetProperty("level").GetString());
        Assert.NotNull(json.RootElement.GetProperty("disagreement").GetString());
        Assert.Equal(39, json.RootElement.GetProperty("tensors").GetArrayLength());
        Assert.Equal(5_245_184, json.RootElement.GetProperty("parameters").GetInt64());
    }

    [Fact]
    public void Show_does_not_obey_what_a_file_says_to_a_terminal()
    {
        using TemporaryFolder folder = new();
        GgufModel model = new("llama");
        model.Metadata["general.name"] = MetadataValue.Of("\u001b[31mred\u001b]0;title\u0007\nline");
        model.Metadata["tokenizer.chat_template"] = MetadataValue.Of("\u001b[2J{{ x }}");
        model.Metadata["\u001bkey[bold]"] = MetadataValue.Of("[red]markup[/]");
        model.Add("\u001b[31m.weight", [1], 1);
        string path = model.Save(folder.At("hostile.gguf"));
        Assert.DoesNotContain('\u001b', NibbleProcess.Run("show", path, "--tensors").Success().Output);
        Json("show", path, "--tensors", "--json").Dispose();
    }

    [Fact]
    public void Tokenize_and_back()
    {
        using LanguageModel model = SampleModel.Open("Q8_0");
        int[] ids = model.Tokenizer.Encode(Prompt);
        NibbleResult result = NibbleProcess.Run("tokenize", SampleModel.At("Q8_0"), Prompt, "--ids").Success();
        Assert.Equal(string.Join(' ', ids), result.Output.Trim());
        Assert.Equal(string.Join(' ', ids[1..]), NibbleProcess.Run(["tokenize", SampleModel.At("Q8_0"), "--no-bos", "--ids"], Prompt).Success().Output.Trim());
        Assert.Equal(Prompt, NibbleProcess.Run("tokenize", SampleModel.At("Q8_0"), "--decode", string.Join(", ", ids[1..])).Success().Output.TrimEnd());
        using JsonDocument json = Json("tokenize", SampleModel.At("Q8_0"), Prompt, "--json");
        Assert.Equal(ids, json.RootElement.GetProperty("tokens").EnumerateArray().Select(t => t.GetProperty("id").GetInt32()));
        Assert.Equal(Prompt, json.RootElement.GetProperty("text").GetString());
    }

    [Fact]
    public void Convert_makes_the_same_model_as_the_folder()
    {
        using TemporaryFolder folder = new();
        NibbleProcess.Run("convert", Shared.TinyModel, "--type", "f32", "-o", folder.At("out.gguf")).Success();
        using ModelFile expected = ModelFile.Open(SampleModel.At("F32")), actual = ModelFile.Open(folder.At("out.gguf"));
        Assert.Equal(expected.Tensors.Select(t => t.Name).Order(StringComparer.Ordinal), actual.Tensors.Select(t => t.Name).Order(StringComparer.Ordinal));
        foreach (TensorInfo tensor in expected.Tensors)
            Assert.True(expected.Read(tensor).AsSpan<byte>().SequenceEqual(actual.Read(actual.Find(tensor.Name)!).AsSpan<byte>()), tensor.Name);
        foreach ((string key, MetadataValue value) in expected.Metadata)
            if (key.StartsWith("llama.", StringComparison.Ordinal) && actual.Metadata.TryGet(key, out MetadataValue? other)) Assert.Equal(value.ToString(), other.ToString());
    }

    [Fact]
    public void The_tour_shows_every_level()
    {
        using TemporaryFolder folder = new();
        string text = folder.Write("text.txt", string.Concat(Enumerable.Repeat("The old man opened the door and looked at the sea. ", 60)));
        using JsonDocument json = Json("tour", "-o", folder.At("levels"), "--types", "Q8_0,Q2_K", "--text", text, "--json");
        string[] files = [.. new DirectoryInfo(folder.At("levels")).GetFiles().Select(f => f.Name).Order(StringComparer.Ordinal)];
        Assert.Equal(["tiny-Q2_K.gguf", "tiny-Q8_0.gguf"], files);
        Assert.Contains("perplexity", json.RootElement.GetRawText(), StringComparison.Ordinal);

        NibbleResult plain = NibbleProcess.Run("tour", "-o", folder.At("levels"), "--types", "Q4_0", "--text", text).Success();
        Assert.Contains("Q4_0", plain.Output, StringComparison.Ordinal);
        Assert.Contains(folder.At("levels"), plain.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("quantize")]
    [InlineData("perplexity")]
    [InlineData("run")]
    public async Task Ctrl_C_stops_cleanly(string command)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "signals are sent with kill");
        using TemporaryFolder folder = new();
        string large = Directory.CreateDirectory(folder.At("in")).FullName + "/large.gguf", text = folder.Write("in/text.txt", string.Concat(Enumerable.Repeat("and so on ", 20_000)));
        WriteLarge(large);
        string[] arguments = command switch
        {
            "quantize" => ["quantize", large, "Q2_K", "-t", "1", "-o", folder.At("out.gguf")],
            "perplexity" => ["perplexity", SampleModel.At("Q8_0"), "--text", text, "-t", "1"],
            _ => ["run", SampleModel.At("Q8_0"), "Hello", "-n", "-1", "--ignore-eos"],
        };
        using Process process = NibbleProcess.Start(arguments);
        process.StandardInput.Close();
        Task<string> error = process.StandardError.ReadToEndAsync();
        Task<string> output;
        if (command == "run")
        {
            char[] first = new char[1];
            Assert.Equal(1, await process.StandardOutput.ReadAsync(first));
            output = process.StandardOutput.ReadToEndAsync();
        }
        else
        {
            output = process.StandardOutput.ReadToEndAsync();
            // Until it is at work; the partial file is one sign.
            for (int i = 0; i < 100 && !(command == "quantize" && folder.Names.Length > 1); i++) await Task.Delay(10);
        }
        Stopwatch clock = Stopwatch.StartNew();
        using (Process kill = Process.Start("kill", ["-INT", process.Id.ToString(CultureInfo.InvariantCulture)])) await kill.WaitForExitAsync();
        NibbleResult result = NibbleProcess.Finish(process, output, error);
        Assert.True(result.ExitCode == 130, $"exit code {result.ExitCode}: {result.Error}");
        Assert.EndsWith("nibble: stopped; nothing was left half-written\n", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(10), $"stopped after {clock.Elapsed}");
        Assert.Equal(["in"], folder.Names);
    }

    [Fact]
    public async Task Ctrl_C_stops_waiting_for_a_prompt()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "signals are sent with kill");
        using Process process = NibbleProcess.Start(["run", SampleModel.At("Q8_0")]);
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        await Task.Delay(1500); // until it waits; standard input stays open
        Stopwatch clock = Stopwatch.StartNew();
        using (Process kill = Process.Start("kill", ["-INT", process.Id.ToString(CultureInfo.InvariantCulture)])) await kill.WaitForExitAsync();
        NibbleResult result = NibbleProcess.Finish(process, output, error);
        Assert.Equal((130, ""), (result.ExitCode, result.Output));
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(6), $"stopped after {clock.Elapsed}");
    }

    [Fact]
    public async Task A_reader_that_has_seen_enough_ends_the_text()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows does not tell");
        using Process process = NibbleProcess.Start(["run", SampleModel.At("F32"), "Hello", "--ignore-eos", "-t", "1"]);
        process.StandardInput.Close();
        Task<string> error = process.StandardError.ReadToEndAsync();
        Assert.Equal(1, await process.StandardOutput.ReadAsync(new char[1]));
        process.StandardOutput.Close();
        NibbleResult result = NibbleProcess.Finish(process, Task.FromResult(""), error);
        Assert.Equal(0, result.ExitCode);
        Assert.DoesNotContain("the context is full", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_result_is_not_written_over_its_source_unasked()
    {
        using TemporaryFolder folder = new();
        string path = folder.At("tiny-Q8_0.gguf");
        File.Copy(SampleModel.At("Q8_0"), path);
        Assert.Contains("--output", NibbleProcess.Run("quantize", path, "Q8_0").Refusal(), StringComparison.Ordinal);
        Assert.Contains("--output", NibbleProcess.Run("quantize", path, "Q8_0", "-o", "").Refusal(), StringComparison.Ordinal);
        Assert.Equal(File.ReadAllBytes(SampleModel.At("Q8_0")), File.ReadAllBytes(path));
    }

    /// <summary>A model of 64 million random weights, which take seconds to quantize.</summary>
    private static void WriteLarge(string path)
    {
        float[] values = new float[4096 * 2048];
        Random random = new(3);
        for (int i = 0; i < values.Length; i++) values[i] = random.NextSingle() - 0.5f;
        GgufModel model = new("llama");
        for (int i = 0; i < 8; i++) model.Add($"blk.{i}.attn_q.weight", values, 2048, 4096);
        model.Save(path);
    }

    private static JsonDocument Json(params string[] arguments) => JsonDocument.Parse(NibbleProcess.Run(arguments).Success().Output);

    private static string GoldenText()
    {
        GoldenTensors golden = GoldenTensors.Read(Shared.Find("golden/tiny-logits.safetensors"));
        using LanguageModel model = SampleModel.Open();
        return model.Tokenizer.Decode(MemoryMarshal.Cast<byte, int>(golden.Bytes("greedy")));
    }
}
