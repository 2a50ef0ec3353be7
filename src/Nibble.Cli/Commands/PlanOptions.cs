using System.CommandLine;
using System.Globalization;
using System.Text;
using Nibble.Cli.Terminal;
using Nibble.Formats;
using Nibble.Quantization;

namespace Nibble.Cli.Commands;

/// <summary>The options of <c>nibble quantize</c> that decide what becomes of which tensor, and in which file: those that a recipe file stands for.</summary>
internal static class PlanOptions
{
    private static readonly Option<string[]> s_tensorType = new("--tensor-type") { Description = "A type for the tensors whose name a regular expression finds; the first that fits decides; may be repeated.", HelpName = "REGEX=TYPE" };
    private static readonly Option<string?> s_tensorTypes = CommonOptions.File("--tensor-types", "A file of such rules, separated by white space; behind # is a comment.", "--tensor-type-file");
    private static readonly Option<string[]> s_layers = new("--layers") { Description = "A type for whole layers, as in first:4=Q6_K,last:4=Q5_K_M or 0-3=Q6_K.", HelpName = "RANGE=TYPE,…" };
    private static readonly Option<string?> s_outputTensor = new("--output-tensor-type") { Description = "The type of output.weight; of a recipe, as Q5_K_M, the one that most of its matrices have.", HelpName = "TYPE" };
    private static readonly Option<string?> s_embedding = new("--token-embedding-type") { Description = "The type of the token embedding; likewise.", HelpName = "TYPE" };
    private static readonly Option<bool> s_leaveOutput = new("--leave-output-tensor") { Description = "Leave output.weight as it is." };
    private static readonly Option<bool> s_pure = new("--pure") { Description = "Give every matrix the same type." };
    private static readonly Option<string?> s_prune = new("--prune-layers") { Description = "Leave layers out, by their numbers from 0.", HelpName = "L0,L1,…" };
    private static readonly Option<string[]> s_override = new("--override-kv") { Description = "Set metadata; TYPE is int, float, bool or str; may be repeated.", HelpName = "KEY=TYPE:VALUE" };
    private static readonly Option<bool> s_requantize = new("--allow-requantize") { Description = "Also quantize tensors that are quantized already, which loses more than starting from the original." };
    private static readonly Option<bool> s_allowNan = new("--allow-nan") { Description = "Also quantize tensors with values that are no finite numbers, or too large for their type." };
    private static readonly Option<I2_SLayout?> s_layout = CommonOptions.I2SLayout();
    private static readonly Option<bool> s_keepSplit = SplitArguments.Keep();
    private static readonly Option<long?> s_splitMaxSize = SplitArguments.MaxSize();
    private static readonly Option<int?> s_splitMaxTensors = SplitArguments.MaxTensors();

    public static IEnumerable<Option> All =>
    [
        s_tensorType, s_tensorTypes, s_layers, s_outputTensor, s_embedding, s_leaveOutput, s_pure, s_prune, s_override, s_requantize, s_allowNan, s_layout,
        s_keepSplit, s_splitMaxSize, s_splitMaxTensors,
    ];

    /// <summary>The layout of I2_S that the model is said to have; <see langword="null"/> to find out.</summary>
    public static I2_SLayout? Layout(ParseResult parsed) => parsed.GetValue(s_layout);

    /// <summary>The file that is read, with its option.</summary>
    public static (string Option, string? Path) Source(ParseResult parsed) => (s_tensorTypes.Name, parsed.GetValue(s_tensorTypes));

    /// <summary>What they ask for.</summary>
    /// <exception cref="NibbleException">One of them cannot be understood; the message says what can.</exception>
    public static QuantizationOptions Read(ParseResult parsed)
    {
        if (parsed.GetValue(s_leaveOutput) && parsed.GetValue(s_outputTensor) is not null) throw new NibbleException("--leave-output-tensor keeps the output as it is, and --output-tensor-type gives it a type; take one");
        List<TensorRule> rules = [.. (parsed.GetValue(s_tensorType) ?? []).Select(TensorRule.ForNames)];
        if (parsed.GetValue(s_tensorTypes) is { } rulesFile)
            rules.AddRange(Encoding.UTF8.GetString(TextFile.ReadText(rulesFile)).Split('\n').SelectMany((line, index) => ReadLine(rulesFile, line, index + 1)));
        rules.AddRange((parsed.GetValue(s_layers) ?? []).SelectMany(TensorRule.ForLayers));
        return new QuantizationOptions
        {
            AllowRequantize = parsed.GetValue(s_requantize),
            AllowNan = parsed.GetValue(s_allowNan),
            Pure = parsed.GetValue(s_pure),
            LeaveOutput = parsed.GetValue(s_leaveOutput),
            OutputFormat = ParseFormat(parsed, s_outputTensor),
            TokenEmbeddingFormat = ParseFormat(parsed, s_embedding),
            Rules = rules,
            PrunedLayers = ParseLayers(parsed.GetValue(s_prune)),
            Split = SplitArguments.Read(parsed.GetValue(s_keepSplit), parsed.GetValue(s_splitMaxSize), parsed.GetValue(s_splitMaxTensors)),
            Metadata = [.. (parsed.GetValue(s_override) ?? []).Select(MetadataOverride.Parse)],
        };
    }

    /// <summary>A format; of a recipe the one that most of its matrices have, as Q5_K of Q5_K_M.</summary>
    private static WeightFormat? ParseFormat(ParseResult parsed, Option<string?> option)
    {
        if (parsed.GetValue(option) is not { } name) return null;
        if (WeightFormat.TryParse(name, out WeightFormat? format)) return format;
        return Recipe.TryParse(name, out Recipe? recipe) ? recipe.Format
            : throw new NibbleException($"{option.Name}: unknown type '{name}'; known are {string.Join(", ", WeightFormat.All.Select(f => f.Name).Union(Recipe.All.Select(r => r.Name)))}");
    }

    private static List<TensorRule> ReadLine(string path, string line, int number)
    {
        try
        {
            return [.. line.Split('#')[0].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(TensorRule.ForNames)];
        }
        catch (NibbleException e)
        {
            throw new NibbleException(string.Create(CultureInfo.InvariantCulture, $"{path}: line {number}: {e.Message}"), e);
        }
    }

    private static HashSet<int> ParseLayers(string? text) => [.. (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        .Select(part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int layer) ? layer : throw new NibbleException($"'{part}' is no layer; write their numbers from 0, separated by commas"))];
}
