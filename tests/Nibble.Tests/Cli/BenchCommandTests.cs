using System.Text.Json;

namespace Nibble.Tests.Cli;

public class BenchCommandTests
{
    private static readonly string[] s_quick = ["--prompt", "4,9", "--generate", "3", "--repetitions", "3"];

    [Fact]
    public void Json_is_a_list_of_tests()
    {
        using JsonDocument json = JsonDocument.Parse(NibbleProcess.Run(["bench", SampleModel.At("Q4_K_M"), .. s_quick, "--threads", "1", "-tb", "2", "--json"]).Success().Output);
        Assert.Equal(["pp4", "pp9", "tg3"], json.RootElement.EnumerateArray().Select(t => t.GetProperty("test").GetString()));
        foreach (JsonElement test in json.RootElement.EnumerateArray())
        {
            double[] rates = [.. test.GetProperty("repetitions").EnumerateArray().Select(r => r.GetDouble())];
            Assert.Equal((rates.Min(), rates.Max()), (test.GetProperty("min").GetDouble(), test.GetProperty("max").GetDouble()));
            Assert.Equal(rates.Order().ElementAt(1), test.GetProperty("median").GetDouble());
            bool generates = test.GetProperty("test").GetString() == "tg3";
            Assert.Equal(generates ? 1 : 2, test.GetProperty("threads").GetInt32());
            Assert.Equal(generates, test.TryGetProperty("bytesPerSecond", out _));
            Assert.Equal(["Q4_K", "Q6_K"], test.GetProperty("kernels").EnumerateArray().Select(k => k.GetProperty("type").GetString()).Order());
            Assert.All(test.GetProperty("kernels").EnumerateArray(), k => Assert.NotEqual("", k.GetProperty("kernel").GetString()));
            Assert.True(test.GetProperty("memory").GetProperty("resident").GetInt64() > test.GetProperty("memory").GetProperty("weights").GetInt64());
        }
    }

    [Fact]
    public void Tables_are_for_people_or_for_Markdown()
    {
        string text = NibbleProcess.Run(["bench", SampleModel.At("Q8_0"), .. s_quick]).Success().Output;
        foreach (string part in new[] { "pp4", "pp9", "tg3", "tokens/s", "GB/s", "Q8_0", "reads", "multiplies", "memory:", "allocated per generated token: 0 B" }) Assert.Contains(part, text, StringComparison.Ordinal);
        string markdown = NibbleProcess.Run(["bench", SampleModel.At("Q8_0"), "-p", "0", "-n", "2", "-r", "1", "--no-repack", "--markdown"]).Success().Output;
        Assert.Contains("| tg2 |", markdown, StringComparison.Ordinal);
        Assert.DoesNotContain("pp", markdown, StringComparison.Ordinal);
        Assert.Contains("| --- | --: |", markdown, StringComparison.Ordinal);
        Assert.Contains("row by row", markdown, StringComparison.Ordinal);
    }

    [Fact]
    public void Usual_prompts_are_cut_to_what_the_model_can_read()
    {
        using JsonDocument json = JsonDocument.Parse(NibbleProcess.Run("bench", SampleModel.At("Q8_0"), "-n", "2", "-r", "1", "--json").Success().Output);
        Assert.Equal(["pp128", "pp256", "tg2"], json.RootElement.EnumerateArray().Select(t => t.GetProperty("test").GetString()));
    }

    [Theory]
    [InlineData("--prompt 500", "256")]
    [InlineData("--generate -1", "--generate")]
    [InlineData("--repetitions 0", "--repetitions")]
    [InlineData("--prompt 0 --generate 0", "--prompt")]
    [InlineData("--json --markdown", "--markdown")]
    [InlineData("--threads 4000", "--threads")]
    public void A_value_that_makes_no_sense_is_named(string options, string part) =>
        Assert.Contains(part, NibbleProcess.Run(["bench", SampleModel.At("Q8_0"), .. options.Split(' ')]).Refusal(), StringComparison.Ordinal);
}
