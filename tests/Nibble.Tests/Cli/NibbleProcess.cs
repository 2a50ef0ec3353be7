using System.Diagnostics;
using System.Text;

namespace Nibble.Tests.Cli;

/// <summary>What a run of the program left.</summary>
internal sealed record NibbleResult(int ExitCode, string Output, string Error)
{
    /// <summary>Asserts that the program refused its input as it must: exit code 1, nothing on standard output, one line on standard error.</summary>
    /// <returns>That line.</returns>
    public string Refusal()
    {
        Assert.True(ExitCode == 1, $"exit code {ExitCode}: {Error}");
        Assert.Equal("", Output);
        Assert.StartsWith("nibble: ", Error, StringComparison.Ordinal);
        Assert.Equal(Error.Length - 1, Error.IndexOf('\n', StringComparison.Ordinal));
        Assert.DoesNotContain(Error[..^1], char.IsControl);
        Assert.DoesNotContain("internal error", Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", Error, StringComparison.Ordinal);
        return Error;
    }

    /// <summary>Asserts that the program succeeded, without colours or cursor movements.</summary>
    public NibbleResult Success()
    {
        Assert.True(ExitCode == 0, $"exit code {ExitCode}: {Error}");
        Assert.DoesNotContain('\u001b', Output + Error);
        return this;
    }
}

/// <summary>The program as a process of its own, as a user starts it, with redirected output.</summary>
internal static class NibbleProcess
{
    private static readonly TimeSpan s_longest = TimeSpan.FromMinutes(2);

    public static NibbleResult Run(params string[] arguments) => Run(arguments, input: "");

    public static NibbleResult Run(string[] arguments, string input, string? folder = null)
    {
        using Process process = Start(arguments, folder);
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        return Finish(process, output, error);
    }

    public static Process Start(string[] arguments, string? folder = null, params ReadOnlySpan<(string Name, string Value)> environment)
    {
        ProcessStartInfo start = new("dotnet", ["exec", Path.Combine(AppContext.BaseDirectory, "Nibble.Cli.dll"), .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
            WorkingDirectory = folder ?? Path.GetTempPath(),
        };
        start.Environment.Remove("NIBBLE_DEBUG");
        foreach ((string name, string value) in environment) start.Environment[name] = value;
        // Optimizing at once costs more than so short a life gives back.
        start.Environment["DOTNET_TieredPGO"] = "0";
        return Process.Start(start)!;
    }

    public static NibbleResult Finish(Process process, Task<string> output, Task<string> error)
    {
        if (!process.WaitForExit(s_longest))
        {
            process.Kill();
            Assert.Fail($"still running after {s_longest}");
        }
        process.WaitForExit();
        return new(process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
    }
}
