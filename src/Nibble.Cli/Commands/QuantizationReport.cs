using System.Diagnostics;
using System.Text.Json;
using Nibble.Cli.Terminal;
using Nibble.Files;
using Nibble.Files.Gguf;
using Nibble.Quantization;
using Spectre.Console;

namespace Nibble.Cli.Commands;

/// <summary>Carries out a plan with progress, then prints what became of every tensor.</summary>
internal static class QuantizationReport
{
    /// <summary>Memory of code that runs only while quantizing: what the compiler makes of it, and the compiler's own.</summary>
    private const long CodeBytes = 15_000_000;

    public static void Run(ModelFile file, QuantizationPlan plan, string target, int threads, bool json, CancellationToken cancellationToken)
    {
        Stopwatch clock = Stopwatch.StartNew();
        QuantizationResult result = ProgressDisplay.Run($"Writing {Path.GetFileName(target)}", show =>
        {
            SynchronousProgress<QuantizationProgress> progress = new(p => show(new Step((double)p.ValuesDone / p.ValuesTotal, p.Tensor.Source.Name)));
            return Quantizer.Write(file, plan, target, threads: threads, progress: progress, cancellationToken: cancellationToken);
        });
        if (json) WriteJson(plan, target, new FileInfo(target).Length, clock.Elapsed, result.Errors);
        else WriteTable(plan, target, clock.Elapsed, result.Errors);
    }

    /// <summary>Prints what a plan would write, with the exact size of the file, and the memory that it would take.</summary>
    public static void Preview(QuantizationPlan plan, string target, int threads, bool json)
    {
        // The importance matrix is part of what this process has already.
        long memory = Environment.WorkingSet + (QuantizationMemory.Of(plan, threads) with { Importance = 0 }).Total + CodeBytes;
        long bytes = GgufWriter.SizeOf(plan.Metadata, plan.Tensors.Select(t => t.Target).ToArray());
        if (json)
        {
            WriteJson(plan, target, bytes, TimeSpan.Zero, errors: null, memory);
            return;
        }
        WriteTensors(plan, errors: null);
        Screen.Print(Totals(plan));
        Screen.Print($"would write {target} ({plan.Recipe.Name}, {bytes} bytes), with about {Format.Bytes(memory)} of memory");
    }

    private static void WriteTable(QuantizationPlan plan, string target, TimeSpan time, IReadOnlyList<TensorError?> errors)
    {
        WriteTensors(plan, errors);
        foreach (TensorError error in errors.OfType<TensorError>().Where(e => e.IsSuspicious))
            Screen.Print($"suspicious: {Format.Printable(error.Tensor.Source.Name)} has an error of {Format.Error(error.Relative)} where {error.Tensor.Target.TypeName} usually has {Format.Error(error.Usual)}; look whether the source is sound, or give it a type of more bits");
        Screen.Print($"{Totals(plan)}, {Format.Seconds(time)}");
        Screen.Print($"wrote {target} ({plan.Recipe.Name}, {Format.Bytes(new FileInfo(target).Length)})");
    }

    private static string Totals(QuantizationPlan plan) =>
        $"{plan.Tensors.Count} tensors, {Format.Bytes(plan.SourceBytes)} -> {Format.Bytes(plan.TargetBytes)} ({Format.Percent((double)plan.TargetBytes / plan.SourceBytes)}), {Format.Bits(plan.BitsPerWeight)} bits per weight";

    private static void WriteTensors(QuantizationPlan plan, IReadOnlyList<TensorError?>? errors)
    {
        Table table = new Table().Border(TableBorder.Simple)
            .AddColumn("tensor").AddColumn("shape").AddColumn("from").AddColumn("to").AddColumn(new TableColumn("size").RightAligned()).AddColumn(new TableColumn("new size").RightAligned());
        if (errors is not null) table.AddColumn(new TableColumn("error").RightAligned()).AddColumn(new TableColumn("cosine").RightAligned());
        foreach ((int index, PlannedTensor tensor) in plan.Tensors.Index())
        {
            string type = tensor.IsConverted ? $"[bold]{tensor.Target.TypeName}[/]" : tensor.Target.TypeName;
            List<string> cells = [Markup.Escape(tensor.Source.Name), Markup.Escape(Format.Shape(tensor.Source)), Markup.Escape(tensor.Source.TypeName), type,
                Format.Bytes(tensor.Source.Bytes), Format.Bytes(tensor.Target.Bytes)];
            if (errors?[index] is { } error) cells.AddRange(error.IsSuspicious ? $"[red]! {Format.Error(error.Relative)}[/]" : Format.Error(error.Relative), Format.Cosine(error.Cosine));
            table.AddRow([.. cells]);
        }
        Screen.Out.Write(table);
        if (plan.Fallbacks == 0) return;
        IEnumerable<string> kinds = plan.Tensors.Where(t => t.InsteadOf is not null).GroupBy(t => (t.InsteadOf, t.Target.TypeName)).Select(g => $"{g.Count()} x {g.Key.TypeName} for {g.Key.InsteadOf}");
        Screen.Print($"rows of {plan.Fallbacks} tensors do not fill whole blocks of their type, so they have another: {string.Join(", ", kinds)}");
    }

    private static void WriteJson(QuantizationPlan plan, string target, long bytes, TimeSpan time, IReadOnlyList<TensorError?>? errors, long? memory = null) => JsonOutput.Write(json =>
    {
        json.WriteStartObject();
        json.WriteString("file", target);
        json.WriteString("type", plan.Recipe.Name);
        json.WriteNumber("bytes", bytes);
        json.WriteNumber("tensorBytesBefore", plan.SourceBytes);
        json.WriteNumber("tensorBytes", plan.TargetBytes);
        json.WriteNumber("bitsPerWeight", plan.BitsPerWeight);
        json.WriteNumber("seconds", time.TotalSeconds);
        if (memory is { } needed) json.WriteNumber("memory", needed);
        json.WriteNumber("fallbacks", plan.Fallbacks);
        json.WriteStartArray("tensors");
        foreach ((int index, PlannedTensor tensor) in plan.Tensors.Index())
        {
            json.WriteStartObject();
            json.WriteString("name", tensor.Source.Name);
            json.WriteStartArray("shape");
            foreach (long size in tensor.Source.Dimensions) json.WriteNumberValue(size);
            json.WriteEndArray();
            json.WriteString("from", tensor.Source.TypeName);
            json.WriteString("to", tensor.Target.TypeName);
            if (tensor.InsteadOf is { } wanted) json.WriteString("insteadOf", wanted.Name);
            json.WriteNumber("bytesBefore", tensor.Source.Bytes);
            json.WriteNumber("bytes", tensor.Target.Bytes);
            if (errors?[index] is { } error)
            {
                WriteFinite(json, "relativeError", error.Relative);
                WriteFinite(json, "cosine", error.Cosine);
                if (error.IsSuspicious) json.WriteBoolean("suspicious", true);
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    });

    /// <summary>A number; null where it is none that JSON has.</summary>
    private static void WriteFinite(Utf8JsonWriter json, string name, double value)
    {
        if (double.IsFinite(value)) json.WriteNumber(name, value);
        else json.WriteNull(name);
    }
}
