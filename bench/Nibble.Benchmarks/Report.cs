using System.Globalization;

namespace Nibble.Benchmarks;

/// <summary>Results as Markdown, with what one must know to compare them.</summary>
internal static class Report
{
    /// <summary>Prints when, on what and by which command the results were measured, then the head of a table.</summary>
    public static void Start(string suite, params string[] columns)
    {
        Console.WriteLine($"{DateTime.UtcNow:yyyy-MM-dd}, {Processor()} ({Environment.ProcessorCount} processors, {InstructionSets.Used}), .NET {Environment.Version}");
        Console.WriteLine();
        Console.WriteLine($"    dotnet run -c Release --project bench/Nibble.Benchmarks -- {suite}");
        Console.WriteLine();
        Row(columns);
        Row([.. columns.Select((_, i) => i == 0 ? "---" : "--:")]);
    }

    public static void Row(params string[] cells) => Console.WriteLine($"| {string.Join(" | ", cells)} |");

    public static string Number(double value, int decimals) => value.ToString($"F{decimals}", CultureInfo.InvariantCulture);

    private static string Processor()
    {
        const string Field = "model name";
        string? line = File.Exists("/proc/cpuinfo") ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith(Field, StringComparison.Ordinal)) : null;
        return line?[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim() ?? Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER") ?? "unknown processor";
    }
}
