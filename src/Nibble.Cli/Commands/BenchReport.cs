using System.Globalization;
using Nibble.Cli.Terminal;
using Nibble.Evaluation;

namespace Nibble.Cli.Commands;

/// <summary>What <c>nibble bench</c> prints.</summary>
internal static class BenchReport
{
    /// <param name="model">The name of the model.</param>
    /// <param name="report">What was measured.</param>
    /// <param name="asMarkdown">Whether tables are Markdown.</param>
    public static void Print(string model, SpeedReport report, bool asMarkdown)
    {
        TextTable speed = new(model, ["test", "threads", "tokens/s", "lowest", "highest", "of what the machine allows"], textColumns: 1, textColumnsAtEnd: 1);
        foreach (SpeedResult test in report.Tests)
        {
            speed.Add(test.Test, $"{test.Threads}", Rate(test.Median), Rate(test.Min), Rate(test.Max),
                test.IsGeneration ? $"reads {PerSecond(test.BytesPerSecond, "GB/s")}, {Format.Percent(test.ShareOfBandwidth)}"
                    : $"multiplies {PerSecond(test.MultiplyAddsPerSecond, "G/s")}, {Format.Percent(test.MultiplyAddsPerSecond / report.PeakMultiplyAdds)}");
        }
        speed.Print(asMarkdown);

        TextTable kernels = new(null, ["type", "matrices", "weights", "a token reads", "kernel"], textColumns: 1, textColumnsAtEnd: 1);
        foreach (KernelUse use in report.Kernels) kernels.Add(use.Format, $"{use.Matrices}", Format.Count(use.Weights), Format.Bytes(use.Bytes), use.GenerationKernel == use.PromptKernel ? use.PromptKernel : $"{use.GenerationKernel}; prompts: {use.PromptKernel}");
        kernels.Print(asMarkdown);

        string lineEnd = asMarkdown ? "  " : ""; // two spaces break a line in Markdown
        Screen.Print($"machine: reads {PerSecond(report.ReadBandwidth, "GB/s")}, multiplies and adds {PerSecond(report.PeakMultiplyAdds, "G/s")} (8 bits){lineEnd}");
        Screen.Print($"memory: {Format.Bytes(report.WeightBytes)} of weights; {Format.Bytes(report.ResidentBytes)} in use by the process{lineEnd}");
        if (report.Tests.FirstOrDefault(t => t.IsGeneration) is { } generation)
            Screen.Print($"allocated per generated token: {Format.Bytes(generation.AllocatedBytes / generation.Tokens)}");
    }

    public static void WriteJson(SpeedReport report) => JsonOutput.Write(json =>
    {
        json.WriteStartArray();
        foreach (SpeedResult test in report.Tests)
        {
            json.WriteStartObject();
            json.WriteString("test", test.Test);
            json.WriteNumber("median", test.Median);
            json.WriteNumber("min", test.Min);
            json.WriteNumber("max", test.Max);
            json.WriteStartArray("repetitions");
            foreach (double rate in test.Rates) json.WriteNumberValue(rate);
            json.WriteEndArray();
            json.WriteNumber("tokens", test.Tokens);
            json.WriteNumber("threads", test.Threads);
            if (test.IsGeneration)
            {
                json.WriteNumber("bytesPerToken", test.WeightBytes / test.Tokens);
                json.WriteNumber("bytesPerSecond", test.BytesPerSecond);
                json.WriteNumber("shareOfBandwidth", test.ShareOfBandwidth);
            }
            json.WriteNumber("multiplyAddsPerSecond", test.MultiplyAddsPerSecond);
            json.WriteNumber("shareOfPeak", test.MultiplyAddsPerSecond / report.PeakMultiplyAdds);
            json.WriteNumber("allocatedBytes", test.AllocatedBytes);
            json.WriteStartObject("machine");
            json.WriteNumber("readBandwidth", report.ReadBandwidth);
            json.WriteNumber("peakMultiplyAdds", report.PeakMultiplyAdds);
            json.WriteEndObject();
            json.WriteStartObject("memory");
            json.WriteNumber("weights", report.WeightBytes);
            json.WriteNumber("resident", report.ResidentBytes);
            json.WriteEndObject();
            json.WriteStartArray("kernels");
            foreach (KernelUse use in report.Kernels)
            {
                json.WriteStartObject();
                json.WriteString("type", use.Format);
                json.WriteNumber("matrices", use.Matrices);
                json.WriteNumber("weights", use.Weights);
                json.WriteNumber("bytes", use.Bytes);
                json.WriteString("kernel", test.IsGeneration ? use.GenerationKernel : use.PromptKernel);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
    });

    private static string Rate(double tokensPerSecond) => tokensPerSecond.ToString(tokensPerSecond < 100 ? "F1" : "F0", CultureInfo.InvariantCulture);

    private static string PerSecond(double value, string unit) => string.Create(CultureInfo.InvariantCulture, $"{value / 1e9:F1} {unit}");
}
