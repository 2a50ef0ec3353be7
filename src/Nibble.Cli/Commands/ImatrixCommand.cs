using System.CommandLine;
using System.Globalization;
using Nibble.Cli.Terminal;
using Nibble.Files;
using Nibble.Formats;
using Nibble.Generation;
using Nibble.Quantization.Importance;

namespace Nibble.Cli.Commands;

/// <summary><c>nibble imatrix MODEL --text FILE</c>: which columns of which matrices matter.</summary>
internal static class ImatrixCommand
{
    public static Command Create()
    {
        Argument<string?> model = new("MODEL") { Description = "A GGUF file, or a Hugging Face model folder; as little quantized as possible. May be left out to merge files alone.", Arity = ArgumentArity.ZeroOrOne };
        Option<string?> text = new("--text", "-f", "--file") { Description = "The calibration text, UTF-8: the kind of text that the model is for.", HelpName = "FILE" };
        Option<string> output = new("--output", "-o", "--output-file") { Description = "The file to write.", DefaultValueFactory = _ => "imatrix.gguf", HelpName = "FILE" };
        output.Validators.Add(CommonOptions.RefuseEmpty);
        Option<string[]> inputs = new("--in-file") { Description = "Add what this importance matrix (GGUF or .dat) holds; may be repeated.", HelpName = "FILE" };
        Option<int?> context = CommonOptions.Context($"Tokens of a window. Default: {Calibration.UsualWindow}, or the model's context where that is shorter.");
        Option<int?> chunks = new("--chunks") { Description = "Windows to read at most. Default: all.", HelpName = "N" };
        Option<int> frequency = new("--output-frequency", "--save-frequency") { Description = "Save what was collected after so many windows; a run that was stopped goes on from there.", DefaultValueFactory = _ => 10, HelpName = "N" };
        Option<bool> processOutput = new("--process-output") { Description = "Collect for the output matrix, too." };
        Option<int> threads = CommonOptions.ModelThreads();
        Option<bool> noRepack = CommonOptions.NoRepack();
        Option<I2_SLayout?> layout = CommonOptions.I2SLayout();
        Option<bool> json = CommonOptions.Json();
        CommandWithExamples command = new("imatrix", "Collect an importance matrix: run a model on a text and note which columns of its matrices matter.",
            "nibble imatrix models/tiny --text calibration.txt -o tiny-imatrix.gguf",
            "nibble quantize models/tiny Q3_K_M --imatrix tiny-imatrix.gguf",
            "nibble imatrix --in-file code.gguf --in-file prose.dat -o both.gguf")
        {
            model, text, output, inputs, context, chunks, frequency, processOutput, layout, threads, noRepack, json,
        };
        command.SetAction((parsed, cancellationToken) => Task.Run(() =>
        {
            ImportanceMatrix result = new();
            string target = parsed.GetRequiredValue(output);
            OutputFolder.Check(target);
            string[] merged = parsed.GetValue(inputs) ?? [];
            using (ModelFile? file = parsed.GetValue(model) is { } source ? ModelFile.Open(source, parsed.GetValue(layout)) : null)
            {
                (string, string?)[] read = [(text.Name, parsed.GetValue(text)), .. merged.Select(input => (inputs.Name, (string?)input))];
                CommonOptions.CheckTargets([(output.Name, target), (output.Name, CheckpointOf(target))], read, file);
            }
            if (parsed.GetValue(model) is { } path)
            {
                string textPath = parsed.GetValue(text) ?? throw new NibbleException("--text is missing: name the calibration text");
                int every = parsed.GetValue(frequency) is > 0 and var n ? n : throw new NibbleException("--output-frequency must be 1 or more");
                int most = parsed.GetValue(chunks) ?? int.MaxValue;
                if (most < 1) throw new NibbleException("--chunks must be 1 or more");
                Calibration calibration = new(textPath, parsed.GetValue(context), most) { IncludeOutput = parsed.GetValue(processOutput), Checkpoint = CheckpointOf(target), SaveEvery = every };
                result = calibration.Collect(path, new ModelOptions { Threads = parsed.GetValue(threads), Repack = !parsed.GetValue(noRepack), I2SLayout = parsed.GetValue(layout) }, cancellationToken);
            }
            else if (merged.Length == 0)
            {
                throw new NibbleException("name a model, or files to merge with --in-file");
            }
            foreach (string input in merged) result.Merge(ImportanceFile.Read(input, parsed.GetValue(context) ?? Calibration.UsualWindow));
            ImportanceFile.Write(result, target);
            File.Delete(CheckpointOf(target));
            Report(result, target, parsed.GetValue(json));
        }, CancellationToken.None));
        return command;
    }

    /// <summary>What an interrupted run left for the same command to go on with, in words; <see langword="null"/> for nothing.</summary>
    public static string? Kept(ParseResult parsed)
    {
        if (parsed.CommandResult.Command.Name != "imatrix" || parsed.GetValue<string>("--output") is not { } target || !File.Exists(CheckpointOf(target))) return null;
        int chunks = ImportanceFile.Read(CheckpointOf(target)).Chunks;
        return $"{Windows(chunks)} {(chunks == 1 ? "is" : "are")} kept; the same command goes on from there";
    }

    private static string Windows(int count) => count == 1 ? "1 window" : string.Create(CultureInfo.InvariantCulture, $"{count} windows");

    private static string CheckpointOf(string target) => target + ".checkpoint";

    private static void Report(ImportanceMatrix matrix, string target, bool json)
    {
        (string Name, int Expert, long Tokens)[] rare = matrix.RareExperts().ToArray();
        if (json)
        {
            JsonOutput.Write(writer =>
            {
                writer.WriteStartObject();
                writer.WriteString("file", target);
                writer.WriteNumber("entries", matrix.Entries.Count);
                writer.WriteNumber("chunks", matrix.Chunks);
                writer.WriteNumber("ctx", matrix.ChunkLength);
                writer.WriteStartArray("datasets");
                foreach (string dataset in matrix.Datasets) writer.WriteStringValue(dataset);
                writer.WriteEndArray();
                writer.WriteStartArray("rareExperts");
                foreach ((string name, int expert, long tokens) in rare)
                {
                    writer.WriteStartObject();
                    writer.WriteString("tensor", name);
                    writer.WriteNumber("expert", expert);
                    writer.WriteNumber("tokens", tokens);
                    writer.WriteEndObject();
                }
                writer.WriteEndArray();
                writer.WriteEndObject();
            });
            return;
        }
        Screen.Print(string.Create(CultureInfo.InvariantCulture, $"wrote {target}: {matrix.Entries.Count} tensors, {Windows(matrix.Chunks)} of {matrix.ChunkLength} tokens"));
        foreach ((string name, int expert, long tokens) in rare)
            Screen.Print(string.Create(CultureInfo.InvariantCulture, $"  {name}: expert {expert} saw {tokens} tokens, too few to trust; take a longer or more varied text"));
    }
}
