using System.Diagnostics;
using System.Text.Json;
using Nibble.Cli.Terminal;
using Nibble.Evaluation.Cards;
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

    /// <summary>Suspicious tensors of one type that are told one by one.</summary>
    private const int MostSuspicious = 5;

    /// <param name="file">The model.</param>
    /// <param name="plan">What to make of it.</param>
    /// <param name="target">The file to write, or what its parts are called after.</param>
    /// <param name="threads">Threads to use, 0 for all.</param>
    /// <param name="resume">Whether to keep finished tensors, and go on from those of an earlier run.</param>
    /// <param name="json">Whether to print JSON.</param>
    /// <param name="evaluate">Measures the result and returns what its file then says; <see langword="null"/> for nothing.</param>
    /// <param name="cancellationToken">Stops within a fraction of a second.</param>
    public static void Run(ModelFile file, QuantizationPlan plan, string target, int threads, bool resume, bool json, Func<string, EvaluationRecord>? evaluate, CancellationToken cancellationToken)
    {
        Stopwatch clock = Stopwatch.StartNew();
        QuantizationResult result = ProgressDisplay.Run($"Writing {Path.GetFileName(target)}", show =>
        {
            SynchronousProgress<QuantizationProgress> progress = new(p => show(new Step((double)p.ValuesDone / p.ValuesTotal, $"{(p.IsKept ? "checking " : "")}{p.Tensor.Source.Name}")));
            return Quantizer.Write(file, plan, target, threads: threads, resume: resume, progress: progress, cancellationToken: cancellationToken);
        });
        foreach (PlannedTensor damaged in result.Damaged) Screen.Tell($"{Format.Printable(damaged.Source.Name)} of the interrupted run was damaged, and was quantized again");
        IReadOnlyList<GgufOutput> files = plan.Files(target);
        TimeSpan time = clock.Elapsed;
        if (!json) WriteTable(plan, files, time, result);
        EvaluationRecord? record = evaluate?.Invoke(files[0].Path);
        if (json) WriteJson(plan, files, time, result, record: record);
        else if (record is not null) EvaluationReport.Print(record);
    }

    /// <summary>Prints what a plan would write, with the exact size of the file, and the memory that it would take.</summary>
    public static void Preview(QuantizationPlan plan, string target, int threads, bool json)
    {
        // The importance matrix is part of what this process has already.
        long memory = Environment.WorkingSet + (QuantizationMemory.Of(plan, threads) with { Importance = 0 }).Total + CodeBytes;
        IReadOnlyList<GgufOutput> files = plan.Files(target);
        if (json)
        {
            WriteJson(plan, files, TimeSpan.Zero, result: null, memory);
            return;
        }
        WriteTensors(plan, errors: null);
        Screen.Print(Totals(plan));
        WriteParts(plan, files);
        Screen.Print($"would write {Names(files)} ({plan.Recipe.Name}, {files.Sum(f => f.Bytes)} bytes), with about {Format.Bytes(memory)} of memory");
    }

    private static void WriteTable(QuantizationPlan plan, IReadOnlyList<GgufOutput> files, TimeSpan time, QuantizationResult result)
    {
        WriteTensors(plan, result.Errors);
        WriteSuspicious([.. result.Errors.OfType<TensorError>().Where(e => e.IsSuspicious)]);
        if (result.Kept > 0) Screen.Print($"{result.Kept} of {plan.Tensors.Count} tensors kept from the interrupted run");
        Screen.Print($"{Totals(plan)}, {Format.Seconds(time)}");
        WriteParts(plan, files);
        Screen.Print($"wrote {Names(files)} ({plan.Recipe.Name}, {Format.Bytes(files.Sum(f => f.Bytes))})");
    }

    /// <summary>Says which tensors lost more than usual; of many of one type in one line, since then it is the type that does not fit the model.</summary>
    private static void WriteSuspicious(IReadOnlyList<TensorError> errors)
    {
        foreach (IGrouping<string, TensorError> group in errors.GroupBy(e => e.Tensor.Target.TypeName))
        {
            TensorError[] ofType = [.. group];
            if (ofType.Length > MostSuspicious)
            {
                Screen.Print($"suspicious: {ofType.Length} tensors have errors of {Format.Error(ofType.Min(e => e.Relative))} to {Format.Error(ofType.Max(e => e.Relative))} where {group.Key} usually has {Format.Error(ofType[0].Usual)}; the model is not of the kind that {group.Key} is for, or is damaged: take a type of more bits");
                continue;
            }
            foreach (TensorError error in ofType)
                Screen.Print($"suspicious: {Format.Printable(error.Tensor.Source.Name)} has an error of {Format.Error(error.Relative)} where {error.Tensor.Target.TypeName} usually has {Format.Error(error.Usual)}; look whether the source is sound, or give it a type of more bits");
        }
    }

    private static void WriteParts(QuantizationPlan plan, IReadOnlyList<GgufOutput> files)
    {
        if (plan.Options.Split is not { } split) return;
        foreach ((int index, GgufOutput file) in files.Index())
        {
            string tooLarge = file.Bytes > split.MaxBytes ? $", more than asked for: {(index == 0 ? "the metadata and " : "")}{Format.Printable(file.Tensors[0].Name)} cannot be cut" : "";
            Screen.Print($"part {index + 1} of {files.Count}: {file.Tensors.Count} tensor{(file.Tensors.Count == 1 ? "" : "s")}, {Format.Bytes(file.Bytes)}{tooLarge}");
        }
    }

    private static string Names(IReadOnlyList<GgufOutput> files) => files.Count == 1 ? files[0].Path : $"{files[0].Path} to {Path.GetFileName(files[^1].Path)}";

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

    private static void WriteJson(QuantizationPlan plan, IReadOnlyList<GgufOutput> files, TimeSpan time, QuantizationResult? result, long? memory = null, EvaluationRecord? record = null) => JsonOutput.Write(json =>
    {
        json.WriteStartObject();
        json.WriteString("file", files[0].Path);
        json.WriteString("type", plan.Recipe.Name);
        json.WriteNumber("bytes", files.Sum(f => record is null ? f.Bytes : new FileInfo(f.Path).Length));
        json.WriteNumber("tensorBytesBefore", plan.SourceBytes);
        json.WriteNumber("tensorBytes", plan.TargetBytes);
        json.WriteNumber("bitsPerWeight", plan.BitsPerWeight);
        json.WriteNumber("seconds", time.TotalSeconds);
        if (memory is { } needed) json.WriteNumber("memory", needed);
        json.WriteNumber("fallbacks", plan.Fallbacks);
        json.WriteNumber("unmatchedRules", plan.UnmatchedRules.Count);
        if (result is { Kept: > 0 }) json.WriteNumber("keptTensors", result.Kept);
        if (plan.Options.Split is not null)
        {
            json.WriteStartArray("parts");
            foreach (GgufOutput file in files)
            {
                json.WriteStartObject();
                json.WriteString("file", file.Path);
                json.WriteNumber("tensors", file.Tensors.Count);
                json.WriteNumber("bytes", file.Bytes);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        if (record is not null) EvaluationReport.WriteJson(json, record);
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
            if (result?.Errors[index] is { } error)
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
