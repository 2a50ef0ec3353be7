using System.CommandLine;
using System.Globalization;
using Nibble.Cli.Terminal;
using Nibble.Files;
using Nibble.Formats;
using Nibble.Quantization;
using Nibble.Quantization.Importance;

namespace Nibble.Cli.Commands;

/// <summary><c>nibble quantize INPUT [TYPE]</c>: a model with its matrices in fewer bits.</summary>
internal static class QuantizeCommand
{
    private static readonly Argument<string> s_input = new("INPUT") { Description = "A GGUF file, or a Hugging Face model folder." };
    private static readonly Argument<string> s_type = new("TYPE")
    {
        Description = $"One of {Recipe.Names}; upper and lower case are the same.",
        DefaultValueFactory = _ => "Q4_K_M",
    };
    private static readonly Option<string?> s_output = CommonOptions.Output("The GGUF file to write. Default: beside the input, called after it and the type.");
    private static readonly Option<string?> s_imatrix = new("--imatrix") { Description = "Weigh errors by an importance matrix (see nibble imatrix), GGUF or .dat.", HelpName = "FILE" };
    private static readonly Option<string[]> s_includeWeights = new("--include-weights") { Description = "Use the importance matrix for tensors with this in their name alone; may be repeated.", HelpName = "NAME" };
    private static readonly Option<string[]> s_excludeWeights = new("--exclude-weights") { Description = "Do not use it for tensors with this in their name; may be repeated.", HelpName = "NAME" };
    private static readonly Option<string[]> s_tensorType = new("--tensor-type") { Description = "A type for the tensors whose name a regular expression finds; the first that fits decides; may be repeated.", HelpName = "REGEX=TYPE" };
    private static readonly Option<string?> s_tensorTypes = new("--tensor-types", "--tensor-type-file") { Description = "A file of such rules, separated by white space; behind # is a comment.", HelpName = "FILE" };
    private static readonly Option<string[]> s_layers = new("--layers") { Description = "A type for whole layers, as in first:4=Q6_K,last:4=Q5_K_M or 0-3=Q6_K.", HelpName = "RANGE=TYPE,…" };
    private static readonly Option<string?> s_outputTensor = new("--output-tensor-type") { Description = "The type of output.weight.", HelpName = "TYPE" };
    private static readonly Option<string?> s_embedding = new("--token-embedding-type") { Description = "The type of the token embedding.", HelpName = "TYPE" };
    private static readonly Option<bool> s_leaveOutput = new("--leave-output-tensor") { Description = "Leave output.weight as it is." };
    private static readonly Option<bool> s_pure = new("--pure") { Description = "Give every matrix the same type." };
    private static readonly Option<string?> s_prune = new("--prune-layers") { Description = "Leave layers out, by their numbers from 0.", HelpName = "L0,L1,…" };
    private static readonly Option<string[]> s_override = new("--override-kv") { Description = "Set metadata; TYPE is int, float, bool or str; may be repeated.", HelpName = "KEY=TYPE:VALUE" };
    private static readonly Option<bool> s_requantize = new("--allow-requantize") { Description = "Also quantize tensors that are quantized already, which loses more than starting from the original." };
    private static readonly Option<double?> s_maxError = MaxError();
    private static readonly Option<bool> s_allowNan = new("--allow-nan") { Description = "Also quantize tensors with values that are no finite numbers, or too large for their type." };
    private static readonly Option<bool> s_noCheck = new("--no-check") { Description = "Do not compare the result with the input, which saves some time." };
    private static readonly Option<bool> s_dryRun = new("--dry-run") { Description = "Print what would be written, with the exact size, and write nothing." };
    private static readonly Option<I2_SLayout?> s_layout = CommonOptions.I2SLayout();
    private static readonly Option<int> s_threads = CommonOptions.Threads();
    private static readonly Option<bool> s_json = CommonOptions.Json();

    public static Command Create()
    {
        CommandWithExamples command = new("quantize", "Store a model's matrices in fewer bits.",
            "nibble quantize models/tiny Q4_K_M",
            "nibble quantize llama-3.2-1b-bf16.gguf q6_k -o llama-3.2-1b-q6_k.gguf",
            "nibble quantize ~/models/Qwen3-0.6B Q3_K_M --imatrix qwen3-imatrix.gguf",
            "nibble quantize llama.gguf Q4_K_M --layers first:4=Q6_K --output-tensor-type Q5_K --tensor-type attn_v=Q8_0")
        {
            s_input, s_type, s_output, s_imatrix, s_includeWeights, s_excludeWeights, s_tensorType, s_tensorTypes, s_layers, s_outputTensor,
            s_embedding, s_leaveOutput, s_pure, s_prune, s_override, s_requantize, s_maxError, s_allowNan, s_noCheck, s_dryRun, s_layout, s_threads, s_json,
        };
        command.SetAction((parsed, cancellationToken) => Task.Run(() => Run(parsed, cancellationToken), CancellationToken.None));
        return command;
    }

    private static void Run(ParseResult parsed, CancellationToken cancellationToken)
    {
        Recipe recipe = Recipe.Parse(parsed.GetRequiredValue(s_type));
        string path = parsed.GetRequiredValue(s_input);
        QuantizationOptions options = ReadOptions(parsed);
        using ModelFile file = ModelFile.Open(path, parsed.GetValue(s_layout));
        CommonOptions.TellLayout(file);
        QuantizationPlan plan = QuantizationPlan.Create(file, recipe, options);
        string target = CommonOptions.CheckTarget(parsed.GetValue(s_output) ?? CommonOptions.DefaultTarget(path, recipe.Name), path);
        if (parsed.GetValue(s_dryRun)) QuantizationReport.Preview(plan, target, parsed.GetValue(s_json));
        else QuantizationReport.Run(file, plan, target, parsed.GetValue(s_threads), parsed.GetValue(s_json), cancellationToken);
    }

    private static QuantizationOptions ReadOptions(ParseResult parsed)
    {
        List<TensorRule> rules = [.. (parsed.GetValue(s_tensorType) ?? []).Select(TensorRule.ForNames)];
        if (parsed.GetValue(s_tensorTypes) is { } rulesFile)
            rules.AddRange(System.Text.Encoding.UTF8.GetString(TextFile.Read(rulesFile)).Split('\n').Select(line => line.Split('#')[0])
                .SelectMany(line => line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).Select(TensorRule.ForNames));
        rules.AddRange((parsed.GetValue(s_layers) ?? []).SelectMany(TensorRule.ForLayers));

        List<KeyValuePair<string, MetadataValue>> metadata = [.. (parsed.GetValue(s_override) ?? []).Select(MetadataOverride.Parse)];
        Dictionary<string, float[]>? importance = null;
        if (parsed.GetValue(s_imatrix) is { } imatrixPath)
        {
            ImportanceMatrix matrix = ImportanceFile.Read(imatrixPath);
            importance = matrix.Means();
            string[] include = parsed.GetValue(s_includeWeights) ?? [], exclude = parsed.GetValue(s_excludeWeights) ?? [];
            foreach (string name in importance.Keys.ToArray())
                if ((include.Length > 0 && !include.Any(name.Contains)) || exclude.Any(name.Contains)) importance.Remove(name);
            // What llama.cpp records of it.
            metadata.Add(new("quantize.imatrix.file", MetadataValue.Of(imatrixPath)));
            if (matrix.Datasets.Count > 0) metadata.Add(new("quantize.imatrix.dataset", MetadataValue.Of(string.Join(", ", matrix.Datasets))));
            metadata.Add(new("quantize.imatrix.entries_count", MetadataValue.Of((uint)importance.Count)));
            if (matrix.Chunks > 0) metadata.Add(new("quantize.imatrix.chunks_count", MetadataValue.Of((uint)matrix.Chunks)));
        }
        return new QuantizationOptions
        {
            AllowRequantize = parsed.GetValue(s_requantize),
            AllowNan = parsed.GetValue(s_allowNan),
            Check = !parsed.GetValue(s_noCheck),
            MaxError = parsed.GetValue(s_maxError),
            Pure = parsed.GetValue(s_pure),
            LeaveOutput = parsed.GetValue(s_leaveOutput),
            OutputFormat = ParseFormat(parsed.GetValue(s_outputTensor)),
            TokenEmbeddingFormat = ParseFormat(parsed.GetValue(s_embedding)),
            Rules = rules,
            PrunedLayers = ParseLayers(parsed.GetValue(s_prune)),
            Metadata = metadata,
            Importance = importance,
        };
    }

    private static Option<double?> MaxError()
    {
        Option<double?> option = new("--max-error")
        {
            Description = "Write no file, and exit with code 3, if a tensor's error is larger: the root mean square error relative to the weights, as in 0.1.",
            HelpName = "X",
            CustomParser = result =>
            {
                string text = result.Tokens[0].Value;
                if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value >= 0) return value;
                result.AddError($"--max-error is {text}; take a number from 0, such as 0.1");
                return null;
            },
        };
        return option;
    }

    private static WeightFormat? ParseFormat(string? name) => name is null ? null : WeightFormat.TryParse(name, out WeightFormat? format)
        ? format
        : throw new NibbleException($"unknown type '{name}'; known are {string.Join(", ", WeightFormat.All.Select(f => f.Name))}");

    private static HashSet<int> ParseLayers(string? text) => [.. (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        .Select(part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int layer) ? layer : throw new NibbleException($"'{part}' is no layer; write their numbers from 0, separated by commas"))];
}
