using System.Diagnostics;
using System.Text.Json;

namespace Nibble.Tests.Cli;

/// <summary><c>nibble system</c>, and the choice of instructions.</summary>
public class SystemCommandTests
{
    [Fact]
    public void The_machine_is_described_and_measured()
    {
        using JsonDocument json = JsonDocument.Parse(Run("system --json").Success().Output);
        JsonElement root = json.RootElement, instructions = root.GetProperty("instructions");
        Assert.NotEqual("", root.GetProperty("processor").GetString());
        Assert.InRange(root.GetProperty("threads").GetInt32(), 1, Environment.ProcessorCount);
        Assert.InRange(root.GetProperty("memory").GetInt64(), 1 << 28, 1L << 50);
        Assert.InRange(root.GetProperty("readBytesPerSecond").GetDouble(), 1e8, 1e13);
        Assert.InRange(root.GetProperty("multiplyAddsPerSecond").GetDouble(), 1e6, 1e15);
        string[] found = [.. instructions.GetProperty("found").EnumerateArray().Select(name => name.GetString()!)];
        Assert.Equal("scalar", found[0]);
        string? wanted = Environment.GetEnvironmentVariable(InstructionSets.Variable);
        Assert.Equal(string.IsNullOrEmpty(wanted) ? found[^1] : wanted, instructions.GetProperty("used").GetString());
    }

    [Fact]
    public void Every_instruction_set_found_can_be_chosen()
    {
        foreach (string name in InstructionSets.Found)
        {
            string output = Run("system", (InstructionSets.Variable, name)).Success().Output;
            Assert.Contains($"used           {name} ", output, StringComparison.Ordinal);
            Assert.Equal(name == "scalar", output.Contains("no vectors", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void A_wrong_instruction_set_is_refused()
    {
        string error = Run("system", (InstructionSets.Variable, "avx1024")).Refusal();
        Assert.Contains("NIBBLE_ISA is 'avx1024'", error, StringComparison.Ordinal);
        Assert.Contains("scalar, avx2, avx512, vnni", error, StringComparison.Ordinal);
    }

    [Fact]
    public void An_instruction_set_that_the_processor_lacks_is_refused()
    {
        string error = Run("show x.gguf", (InstructionSets.Variable, "avx512"), ("DOTNET_EnableAVX512", "0")).Refusal();
        Assert.Contains("NIBBLE_ISA is 'avx512', which this processor does not have; it has scalar", error, StringComparison.Ordinal);
    }

    private static NibbleResult Run(string line, params ReadOnlySpan<(string Name, string Value)> environment)
    {
        using Process process = NibbleProcess.Start(line.Split(' '), folder: null, environment);
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        process.StandardInput.Close();
        return NibbleProcess.Finish(process, output, error);
    }
}
