using System.CommandLine;
using System.Globalization;
using Nibble.Cli.Terminal;
using Nibble.Evaluation;
using Nibble.Kernels;

namespace Nibble.Cli.Commands;

/// <summary><c>nibble system</c>: what this machine has, what is used of it, and what it can do at best.</summary>
internal static class SystemCommand
{
    private const string None = "none";

    public static Command Create()
    {
        Option<bool> json = CommonOptions.Json();
        CommandWithExamples command = new("system", "Show what this machine has, what Nibble uses of it, and what it can do at best.",
            "nibble system",
            "nibble system --json")
        {
            json,
        };
        command.SetAction(parsed =>
        {
            Measured measured = Measure();
            if (parsed.GetValue(json)) WriteJson(measured);
            else WriteLines(measured);
        });
        return command;
    }

    /// <summary>What was measured: bytes per second of one thread and of all, and multiply-adds per second of all.</summary>
    private readonly record struct Measured(int Threads, double OneThread, double AllThreads, double MultiplyAdds);

    private static Measured Measure()
    {
        using WorkerPool one = new(1), all = new();
        double oneThread = MachineMeasurement.ReadBandwidth(one), allThreads = all.Threads == 1 ? oneThread : MachineMeasurement.ReadBandwidth(all);
        return new(all.Threads, oneThread, allThreads, MachineMeasurement.PeakMultiplyAdds(all));
    }

    private static void WriteLines(Measured measured)
    {
        string available = Machine.AvailableMemory is { } bytes ? $", {Format.Bytes(bytes)} available" : "";
        Print("processor", Machine.Processor);
        Print("processors", $"{Machine.Processors}, {Machine.Cores} cores");
        Print("memory", $"{Format.Bytes(Machine.Memory)}{available}");
        Print("instructions", $"{string.Join(", ", InstructionSets.Found)}");
        Print("used", $"{InstructionSets.Used} ({InstructionSets.Variable} chooses another)");
        Print("packed rows", KernelChoice.PackedRows ?? None);
        Print("panels", KernelChoice.Panels ?? None);
        Print("float panels", KernelChoice.FloatPanels ?? None);
        Print("single rows", KernelChoice.Rows ?? "no vectors");
        Print("reading", $"{Billions(measured.OneThread, 1)} GB/s with 1 thread, {Billions(measured.AllThreads, 1)} GB/s with {measured.Threads}");
        Print("multiplying", $"{Billions(measured.MultiplyAdds, 0)} billion multiply-adds/s with {measured.Threads} threads");

        static void Print(string name, string value) => Screen.Print($"{name,-14} {Format.Printable(value)}");
    }

    private static string Billions(double value, int decimals) => (value / 1e9).ToString($"F{decimals}", CultureInfo.InvariantCulture);

    private static void WriteJson(Measured measured) => JsonOutput.Write(json =>
    {
        json.WriteStartObject();
        json.WriteString("processor", Machine.Processor);
        json.WriteNumber("processors", Machine.Processors);
        json.WriteNumber("cores", Machine.Cores);
        json.WriteNumber("memory", Machine.Memory);
        if (Machine.AvailableMemory is { } available) json.WriteNumber("availableMemory", available);
        json.WriteStartObject("instructions");
        json.WriteStartArray("found");
        foreach (string name in InstructionSets.Found) json.WriteStringValue(name);
        json.WriteEndArray();
        json.WriteString("used", InstructionSets.Used);
        json.WriteEndObject();
        json.WriteStartObject("kernels");
        WriteKernel("packedRows", KernelChoice.PackedRows);
        WriteKernel("panels", KernelChoice.Panels);
        WriteKernel("floatPanels", KernelChoice.FloatPanels);
        WriteKernel("rows", KernelChoice.Rows);
        json.WriteEndObject();
        json.WriteNumber("threads", measured.Threads);
        json.WriteNumber("readBytesPerSecondOneThread", Math.Round(measured.OneThread));
        json.WriteNumber("readBytesPerSecond", Math.Round(measured.AllThreads));
        json.WriteNumber("multiplyAddsPerSecond", Math.Round(measured.MultiplyAdds));
        json.WriteEndObject();

        void WriteKernel(string name, string? kernel)
        {
            if (kernel is null) json.WriteNull(name);
            else json.WriteString(name, kernel);
        }
    });
}
