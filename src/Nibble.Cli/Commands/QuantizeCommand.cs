using System.CommandLine;
using System.Globalization;
using Nibble.Cli.Terminal;
using Nibble.Files;
using Nibble.Files.Gguf;
using Nibble.Quantization;
using Nibble.Quantization.Recipes;

namespace Nibble.Cli.Commands;

/// <summary><c>nibble quantize INPUT [TYPE]</c>: a model with its matrices in fewer bits.</summary>
internal static class QuantizeCommand
{
    private static readonly Argument<string?> s_input = new("INPUT") { Description = "A GGUF file, or a Hugging Face model folder.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Argument<string> s_type = new("TYPE")
    {
        Description = $"One of {string.Join(", ", Recipe.All.Select(r => NeedsMatrix(r) ? r.Name + "*" : r.Name))}; upper and lower case are the same. Those with * need --imatrix or --calibrate.",
        DefaultValueFactory = _ => "Q4_K_M",
    };
    private static readonly Option<string?> s_output = CommonOptions.Output("The GGUF file to write. Default: beside the input, called after it and the type.");
    private static readonly Option<double?> s_maxError = MaxError();
    private static readonly Option<bool> s_noCheck = new("--no-check") { Description = "Do not compare the result with the input, which saves some time." };
    private static readonly Option<bool> s_resume = new("--resume") { Description = "Keep finished tensors if the run is stopped or fails, and go on from there when the same command runs again." };
    private static readonly Option<bool> s_dryRun = new("--dry-run") { Description = "Print what would be written, with the exact size and the memory it takes, and write nothing." };
    private static readonly Option<int> s_threads = CommonOptions.Threads();
    private static readonly Option<bool> s_json = CommonOptions.Json();

    private static bool NeedsMatrix(Recipe recipe) => recipe.NeedsImportance || recipe.Format.NeedsImportance;

    /// <summary>What an interrupted run was asked to keep, in words; <see langword="null"/> for nothing.</summary>
    public static string? Kept(ParseResult parsed) => EvaluationRequest.Kept is { } measuring ? measuring : parsed.GetResult(s_resume) is { Implicit: false } ? "finished tensors are kept, continue with --resume" : null;

    public static Command Create()
    {
        CommandWithExamples command = new("quantize", "Store a model's matrices in fewer bits.",
            "nibble quantize models/tiny Q4_K_M",
            "nibble quantize llama-3.2-1b-bf16.gguf q6_k -o llama-3.2-1b-q6_k.gguf",
            "nibble quantize ~/models/Qwen3-0.6B Q3_K_M --imatrix qwen3-imatrix.gguf",
            "nibble quantize ~/models/Qwen3-0.6B IQ3_XXS --calibrate calibration.txt",
            "nibble quantize llama.gguf Q4_K_M --layers first:4=Q6_K --output-tensor-type Q5_K_M --tensor-type attn_v=Q8_0",
            "nibble quantize ~/models/Qwen3-32B Q4_K_M --split-max-size 10G",
            "nibble quantize llama-3.1-405b-bf16.gguf Q4_K_M -o llama-3.1-405b-q4_k_m.gguf --resume",
            "nibble quantize llama.gguf Q4_K_M -o llama-Q4_K_M.gguf --write-recipe llama-Q4_K_M.json",
            "nibble quantize llama.gguf again.gguf --recipe llama-Q4_K_M.json",
            "nibble quantize ~/models/Qwen3-0.6B Q4_K_M --evaluate wiki.test.raw",
            "nibble quantize --verify downloaded.gguf --recipe llama-Q4_K_M.json")
        {
            s_input, s_type, s_output,
        };
        foreach (Option option in (Option[])[.. ImportanceSource.Options, .. PlanOptions.All, s_maxError, s_noCheck, .. RecipeCommands.Options, .. EvaluationRequest.Options, s_resume, s_dryRun, s_threads, s_json]) command.Add(option);
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
        RecipeFile? asked = RecipeCommands.Read(parsed, [.. PlanOptions.All, .. ImportanceSource.Filters]);
        Recipe recipe = asked?.Recipe ?? Recipe.Parse(parsed.GetRequiredValue(s_type));
        string target = TargetOf(parsed, asked) ?? CommonOptions.DefaultTarget(path, recipe.Name);
        string? recipeTarget = RecipeCommands.Target(parsed, isDryRun);
        ImportanceSource.Check(parsed, asked, isDryRun);
        EvaluationRequest.Check(parsed, isDryRun);
        QuantizationOptions options = PlanOptions.Read(parsed);
        using ModelFile file = ModelFile.Open(path, asked is null ? PlanOptions.Layout(parsed) : asked.Layout);
        CommonOptions.TellLayout(file);
        (string, string?)[] read = [PlanOptions.Source(parsed), RecipeCommands.Source(parsed), EvaluationRequest.Source(parsed), .. ImportanceSource.Sources(parsed)];
        (string, string?)[] beside = [("--write-recipe", recipeTarget), ("--write-imatrix", ImportanceSource.Target(parsed))];
        // Before the importance matrix is collected, which can take hours; only the plan knows what the parts of a split model are called.
        bool isSplit = (asked?.Split ?? options.Split) is not null;
        if (!isDryRun) OutputFolder.Check(isSplit ? SplitName.ForTarget(target, 1).PathOf(1) : target);
        CommonOptions.CheckTargets(isSplit ? beside : [("--output", target), .. beside], read, file);
        if (asked is not null) RecipeCommands.CheckInputs(asked, file, cancellationToken);
        ImportanceSource.Result? importance = ImportanceSource.Read(parsed, file, asked, threads, cancellationToken);
        options = asked?.Options(importance?.Use.Means) ?? options with { Importance = importance?.Use.Means, Metadata = [.. options.Metadata, .. importance?.Use.Metadata ?? []] };
        options = options with { Check = !parsed.GetValue(s_noCheck), MaxError = parsed.GetValue(s_maxError) };
        QuantizationPlan plan = QuantizationPlan.Create(file, recipe, options);
        foreach (TensorRule rule in plan.UnmatchedRules) Screen.Tell($"warning: the rule {rule.Text} finds no matrix of the model, so it does nothing; nibble show --tensors lists their names");
        CommonOptions.CheckTargets([.. plan.Files(target).Select(output => ("--output", (string?)output.Path)), .. beside], read, file);
        if (isDryRun)
        {
            QuantizationReport.Preview(plan, target, threads, json);
            return;
        }
        EvaluationRequest? evaluation = EvaluationRequest.Read(parsed, file, plan.Files(target)[0].Path, cancellationToken);
        QuantizationReport.Run(file, plan, target, threads, parsed.GetValue(s_resume), json, evaluation is null ? null : written => evaluation.Measure(path, written, file.Layout, threads, cancellationToken), cancellationToken);
        if (recipeTarget is not null) RecipeCommands.Write(recipeTarget, file, plan, target, importance?.Origin, json, cancellationToken);
        if (asked is not null) RecipeCommands.CheckResult(asked, plan.Files(target)[0].Path, json, cancellationToken);
    }

    /// <summary>The file to write, where one is named: with <c>--output</c>, or with a recipe, which says the type, in the type's place.</summary>
    private static string? TargetOf(ParseResult parsed, RecipeFile? recipe)
    {
        string? output = parsed.GetValue(s_output), word = parsed.GetResult(s_type) is { Implicit: false } ? parsed.GetValue(s_type) : null;
        if (recipe is null || word is null) return output;
        if (Recipe.TryParse(word, out Recipe? type)) return type == recipe.Recipe ? output : throw new NibbleException($"{RecipeCommands.Source(parsed).Path}: the recipe makes {recipe.Recipe.Name}, not {type.Name}; leave out the type");
        return output is null ? word : throw new NibbleException($"both {word} and {output} are to be written; name one file");
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
}
