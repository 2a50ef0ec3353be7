using System.CommandLine;
using System.Globalization;
using Nibble.Cli.Terminal;
using Nibble.Files;
using Nibble.Formats;
using Nibble.Quantization;
using Nibble.Quantization.Recipes;

namespace Nibble.Cli.Commands;

/// <summary><c>nibble quantize INPUT [TYPE]</c>: a model with its matrices in fewer bits.</summary>
internal static class QuantizeCommand
{
    private static readonly Argument<string?> s_input = new("INPUT") { Description = "A GGUF file, or a Hugging Face model folder.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Argument<string> s_type = new("TYPE")
    {
        Description = $"One of {Recipe.Names}; upper and lower case are the same.",
        DefaultValueFactory = _ => "Q4_K_M",
    };
    private static readonly Option<string?> s_output = CommonOptions.Output("The GGUF file to write. Default: beside the input, called after it and the type.");
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
    private static readonly Option<bool> s_dryRun = new("--dry-run") { Description = "Print what would be written, with the exact size and the memory it takes, and write nothing." };
    private static readonly Option<int> s_threads = CommonOptions.Threads();
    private static readonly Option<bool> s_json = CommonOptions.Json();

    /// <summary>What a recipe file says, so that it cannot be said beside it.</summary>
    private static readonly Option[] s_inRecipe =
        [s_tensorType, s_tensorTypes, s_layers, s_outputTensor, s_embedding, s_leaveOutput, s_pure, s_prune, s_override, s_requantize, s_allowNan, .. ImportanceSource.Filters];

    public static Command Create()
    {
        CommandWithExamples command = new("quantize", "Store a model's matrices in fewer bits.",
            "nibble quantize models/tiny Q4_K_M",
            "nibble quantize llama-3.2-1b-bf16.gguf q6_k -o llama-3.2-1b-q6_k.gguf",
            "nibble quantize ~/models/Qwen3-0.6B Q3_K_M --imatrix qwen3-imatrix.gguf",
            "nibble quantize ~/models/Qwen3-0.6B IQ3_XXS --calibrate calibration.txt",
            "nibble quantize llama.gguf Q4_K_M --layers first:4=Q6_K --output-tensor-type Q5_K --tensor-type attn_v=Q8_0",
            "nibble quantize llama.gguf Q4_K_M -o llama-Q4_K_M.gguf --write-recipe llama-Q4_K_M.json",
            "nibble quantize llama.gguf again.gguf --recipe llama-Q4_K_M.json",
            "nibble quantize --verify downloaded.gguf --recipe llama-Q4_K_M.json")
        {
            s_input, s_type, s_output,
        };
        foreach (Option option in ImportanceSource.Options) command.Add(option);
        foreach (Option option in (Option[])[s_tensorType, s_tensorTypes, s_layers, s_outputTensor, s_embedding, s_leaveOutput, s_pure, s_prune, s_override, s_requantize, s_maxError, s_allowNan, s_noCheck]) command.Add(option);
        foreach (Option option in RecipeCommands.Options) command.Add(option);
        foreach (Option option in (Option[])[s_dryRun, s_threads, s_json]) command.Add(option);
        command.Validators.Add(result =>
        {
            bool hasInput = result.GetValue(s_input) is not null;
            if (RecipeCommands.IsVerification(result) && hasInput) result.AddError("--verify makes nothing; leave out the input");
            if (!RecipeCommands.IsVerification(result) && !hasInput) result.AddError("name the model to quantize");
        });
        command.SetAction((parsed, cancellationToken) => Task.Run(() => Run(parsed, cancellationToken), CancellationToken.None));
        return command;
    }

    private static void Run(ParseResult parsed, CancellationToken cancellationToken)
    {
        bool json = parsed.GetValue(s_json), isDryRun = parsed.GetValue(s_dryRun);
        if (RecipeCommands.IsVerification(parsed.CommandResult))
        {
            RecipeCommands.Verify(parsed, json, cancellationToken);
            return;
        }
        string path = parsed.GetRequiredValue(s_input)!;
        int threads = parsed.GetValue(s_threads);
        RecipeFile? asked = RecipeCommands.Read(parsed, s_inRecipe);
        Recipe recipe = asked?.Recipe ?? Recipe.Parse(parsed.GetRequiredValue(s_type));
        string target = CommonOptions.CheckTarget(TargetOf(parsed, asked) ?? CommonOptions.DefaultTarget(path, recipe.Name), path);
        string? recipeTarget = RecipeCommands.Target(parsed, isDryRun);
        ImportanceSource.Check(parsed, asked, isDryRun);
        QuantizationOptions options = ReadOptions(parsed);
        using ModelFile file = ModelFile.Open(path);
        if (asked is not null) RecipeCommands.CheckInputs(asked, file, cancellationToken);
        ImportanceSource.Result? importance = ImportanceSource.Read(parsed, path, asked, threads, cancellationToken);
        options = asked is not null
            ? asked.Options(importance?.Means) with { Check = options.Check, MaxError = options.MaxError }
            : options with { Importance = importance?.Means, Metadata = [.. options.Metadata, .. importance?.Metadata ?? []] };
        QuantizationPlan plan = QuantizationPlan.Create(file, recipe, options);
        if (isDryRun)
        {
            QuantizationReport.Preview(plan, target, threads, json);
            return;
        }
        QuantizationReport.Run(file, plan, target, threads, json, cancellationToken);
        if (recipeTarget is not null) RecipeCommands.Write(recipeTarget, file, plan, target, importance?.Origin, json, cancellationToken);
        if (asked is not null) RecipeCommands.CheckResult(asked, target, json, cancellationToken);
    }

    /// <summary>The file to write, where one is named: with <c>--output</c>, or with a recipe, which says the type, in the type's place.</summary>
    private static string? TargetOf(ParseResult parsed, RecipeFile? recipe)
    {
        string? output = parsed.GetValue(s_output), word = parsed.GetResult(s_type) is { Implicit: false } ? parsed.GetValue(s_type) : null;
        if (recipe is null || word is null) return output;
        if (Recipe.TryParse(word, out Recipe? type)) return type == recipe.Recipe ? output : throw new NibbleException($"the recipe makes {recipe.Recipe.Name}, not {type.Name}; leave out the type");
        return output is null ? word : throw new NibbleException($"both {word} and {output} are to be written; name one file");
    }

    private static QuantizationOptions ReadOptions(ParseResult parsed)
    {
        List<TensorRule> rules = [.. (parsed.GetValue(s_tensorType) ?? []).Select(TensorRule.ForNames)];
        if (parsed.GetValue(s_tensorTypes) is { } rulesFile)
            rules.AddRange(System.Text.Encoding.UTF8.GetString(TextFile.Read(rulesFile)).Split('\n').Select(line => line.Split('#')[0])
                .SelectMany(line => line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).Select(TensorRule.ForNames));
        rules.AddRange((parsed.GetValue(s_layers) ?? []).SelectMany(TensorRule.ForLayers));
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
            Metadata = [.. (parsed.GetValue(s_override) ?? []).Select(MetadataOverride.Parse)],
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
