using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Nibble.Benchmarks;

/// <summary>
/// Peak resident memory of <c>nibble quantize</c>, as Linux counts it (VmHWM): the heap, buffers, and those pages of mapped files that are
/// in memory; beside what <c>--dry-run</c> foretells.
/// </summary>
internal static class QuantizeMemorySuite
{
    /// <summary>Bytes that no model may need.</summary>
    private const double Limit = 1.5e9;

    /// <returns>0 where every peak is below the limit.</returns>
    public static int Run(string folder, double gigabytes, string[] types)
    {
        if (!OperatingSystem.IsLinux()) throw new NibbleException("quantize-memory reads /proc and needs Linux");
        Directory.CreateDirectory(folder);
        string source = Path.Combine(folder, "synthetic-F16.gguf"), target = Path.Combine(folder, "synthetic-quantized.gguf");
        try
        {
            int layers = SyntheticModel.Write(source, gigabytes);
            Console.WriteLine($"Llama 3 8B with {layers} layers, F16, {new FileInfo(source).Length / 1e9:F2} GB:");
            Report.Start($"quantize-memory FOLDER {gigabytes.ToString(CultureInfo.InvariantCulture)} {string.Join(' ', types)}", "type", "seconds", "peak memory, MB", "foretold, MB", "result, GB");
            double highest = 0;
            foreach (string type in types)
            {
                Stopwatch clock = Stopwatch.StartNew();
                long peak = PeakOf(source, type, target);
                highest = Math.Max(highest, peak);
                Report.Row(type, Report.Number(clock.Elapsed.TotalSeconds, 1), Report.Number(peak / 1e6, 0), Report.Number(Foretold(source, type, target) / 1e6, 0), Report.Number(new FileInfo(target).Length / 1e9, 2));
            }
            return highest < Limit ? 0 : 1;
        }
        finally
        {
            File.Delete(source);
            File.Delete(target);
        }
    }

    private static long Foretold(string source, string type, string target)
    {
        ProcessStartInfo start = new("dotnet", [Path.Combine(AppContext.BaseDirectory, "Nibble.Cli.dll"), "quantize", source, type, "-o", target, "--json", "--dry-run"]) { RedirectStandardOutput = true };
        using Process process = Process.Start(start) ?? throw new NibbleException("dotnet cannot be started");
        using JsonDocument json = JsonDocument.Parse(process.StandardOutput.ReadToEnd());
        process.WaitForExit();
        return json.RootElement.GetProperty("memory").GetInt64();
    }

    private static long PeakOf(string source, string type, string target)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "Nibble.Cli.dll");
        ProcessStartInfo start = new("dotnet", [program, "quantize", source, type, "-o", target, "--json"]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start) ?? throw new NibbleException("dotnet cannot be started");
        process.OutputDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        long peak = 0;
        while (!process.WaitForExit(TimeSpan.FromMilliseconds(20))) peak = Math.Max(peak, HighWaterMark(process.Id));
        if (process.ExitCode != 0) throw new NibbleException($"nibble quantize failed: {errors.Result}");
        return peak;
    }

    /// <summary>The most bytes of memory that the process has had so far; 0 where it has just ended.</summary>
    private static long HighWaterMark(int id)
    {
        try
        {
            string? line = File.ReadLines($"/proc/{id}/status").FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? 0 : 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0; // it ended between the two looks
        }
    }
}
