using System.CommandLine;
using Nibble.Cli.Terminal;
using Nibble.Files;
using Nibble.Formats;
using Spectre.Console;

namespace Nibble.Cli.Commands;

/// <summary><c>nibble show FILE</c>: what is in a model file.</summary>
internal static class ShowCommand
{
    private const int LongestTemplate = 600;

    public static Command Create()
    {
        Argument<string> path = new("FILE") { Description = "A GGUF file, a safetensors file, or a Hugging Face model folder." };
        Option<bool> tensors = new("--tensors") { Description = "List every tensor." };
        Option<bool> full = new("--full") { Description = "Print long values, such as the chat template, in full." };
        Option<I2_SLayout?> layout = CommonOptions.I2SLayout();
        Option<bool> json = CommonOptions.Json();
        CommandWithExamples command = new("show", "Show what is in a model file: architecture, size, types, tokenizer, metadata.",
            "nibble show tiny-Q4_K_M.gguf",
            "nibble show ~/models/Qwen3-0.6B --tensors",
            "nibble show model.safetensors --json")
        {
            path, tensors, full, layout, json,
        };
        command.SetAction(parsed =>
        {
            using ModelFile file = ModelFile.Open(parsed.GetRequiredValue(path), parsed.GetValue(layout));
            ModelSummary summary = ModelSummary.Of(file);
            if (parsed.GetValue(json))
            {
                JsonOutput.Write(writer => summary.WriteJson(writer, parsed.GetValue(tensors)));
                return;
            }
            WriteSummary(file, summary);
            EvaluationReport.Print(file);
            WriteTypes(file);
            WriteTemplate(file, parsed.GetValue(full));
            WriteMetadata(file, parsed.GetValue(full));
            if (parsed.GetValue(tensors)) WriteTensors(file);
        });
        return command;
    }

    private static void WriteSummary(ModelFile file, ModelSummary summary)
    {
        Screen.Print($"{file.Path}: {file.Container}, {Format.Bytes(summary.Bytes)}");
        foreach ((string name, string? value) in summary.Lines)
            if (value is not null) Screen.Print($"  {name,-14} {Format.Printable(value)}");
        if (summary.Disagreement is { } warning) Screen.Out.MarkupLine($"  [yellow]{Markup.Escape(warning)}[/]");
    }

    private static void WriteTypes(ModelFile file)
    {
        Table table = new Table().Border(TableBorder.Simple).AddColumn("type");
        foreach (string name in new[] { "tensors", "weights", "size", "bits per weight" }) table.AddColumn(new TableColumn(name).RightAligned());
        foreach (IGrouping<string, TensorInfo> type in file.Tensors.GroupBy(t => t.TypeName).OrderByDescending(g => g.Sum(t => t.Bytes)))
        {
            long bytes = type.Sum(t => t.Bytes), count = type.Sum(t => t.Count);
            table.AddRow(Markup.Escape(type.Key), $"{type.Count()}", Format.Count(count), Format.Bytes(bytes), Format.Bits(8.0 * bytes / count));
        }
        Screen.Out.Write(table);
    }

    private static void WriteTemplate(ModelFile file, bool full)
    {
        if (file.Metadata.String(ModelSummary.ChatTemplateKey) is not { } template) return;
        bool isLong = !full && template.Length > LongestTemplate;
        Screen.Print("chat template:");
        foreach (string line in (isLong ? template[..LongestTemplate] : template).Split('\n')) Screen.Print($"  {Format.Printable(line)}");
        if (isLong) Screen.Print($"  … ({template.Length:N0} characters; --full prints all)");
        Screen.Print("");
    }

    private static void WriteMetadata(ModelFile file, bool full)
    {
        const int Longest = 120;
        if (file.Metadata.Count == 0) return;
        Screen.Print("metadata:");
        int width = Math.Min(48, file.Metadata.Max(pair => pair.Key.Length));
        foreach ((string key, MetadataValue value) in file.Metadata)
        {
            if (key == ModelSummary.ChatTemplateKey) continue;
            string text = Format.Printable(value.ToString());
            Screen.Print($"  {Format.Printable(key).PadRight(width)} {(full || text.Length <= Longest ? text : text[..Longest] + "…")}");
        }
    }

    private static void WriteTensors(ModelFile file)
    {
        Table table = new Table().Border(TableBorder.Simple).AddColumn("tensor").AddColumn("shape").AddColumn("type").AddColumn(new TableColumn("size").RightAligned());
        foreach (TensorInfo tensor in file.Tensors)
            table.AddRow(Markup.Escape(Format.Printable(tensor.Name)), Format.Shape(tensor), Markup.Escape(tensor.TypeName), Format.Bytes(tensor.Bytes));
        Screen.Out.Write(table);
    }
}
