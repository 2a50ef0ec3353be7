using System.CommandLine;
using Nibble.Files;
using Nibble.Formats;
using Nibble.Quantization;

namespace Nibble.Cli.Commands;

/// <summary><c>nibble convert MODEL</c>: a Hugging Face folder as GGUF, or a quantized model, unquantized.</summary>
internal static class ConvertCommand
{
    private static readonly string[] s_types = ["f32", "f16", "bf16"];

    public static Command Create()
    {
        Argument<string> folder = new("MODEL") { Description = "Folder with config.json, *.safetensors and tokenizer files, as published on Hugging Face; or with --type a GGUF file of any type." };
        Option<string?> output = CommonOptions.Output("The GGUF file to write. Default: beside the folder, called after it and the type.");
        Option<string?> type = new("--type", "--outtype") { Description = "Type of the matrices. Default: the one they have.", HelpName = "f32|f16|bf16" };
        type.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var value }] && !s_types.Contains(value, StringComparer.OrdinalIgnoreCase))
                result.AddError($"--type is '{value}'; take f32, f16 or bf16 (other types: nibble quantize)");
        });
        Option<long?> splitMaxSize = SplitArguments.MaxSize();
        Option<int?> splitMaxTensors = SplitArguments.MaxTensors();
        Option<int> threads = CommonOptions.Threads();
        Option<I2_SLayout?> layout = CommonOptions.I2SLayout();
        Option<bool> allowNan = new("--allow-nan") { Description = "Also convert tensors with values that are no finite numbers, or too large for their type." };
        Option<bool> json = CommonOptions.Json();
        CommandWithExamples command = new("convert", "Convert a model to GGUF without quantizing: a Hugging Face folder, or the values of a quantized file.",
            "nibble convert models/tiny",
            "nibble convert ~/models/Qwen3-0.6B --type f16 -o qwen3-0.6b-f16.gguf",
            "nibble convert tiny-K4_CB.gguf --type f16")
        {
            folder, output, type, splitMaxSize, splitMaxTensors, allowNan, layout, threads, json,
        };
        command.SetAction((parsed, cancellationToken) => Task.Run(() =>
        {
            string input = parsed.GetRequiredValue(folder);
            using ModelFile file = ModelFile.Open(input, parsed.GetValue(layout));
            CommonOptions.TellLayout(file);
            Recipe recipe = Recipe.Parse(parsed.GetValue(type) ?? TypeOf(file));
            // Unquantizing loses nothing, so it need not be allowed.
            QuantizationOptions options = new() { AllowRequantize = true, AllowNan = parsed.GetValue(allowNan), Split = SplitArguments.Read(keep: false, parsed.GetValue(splitMaxSize), parsed.GetValue(splitMaxTensors)) };
            QuantizationPlan plan = QuantizationPlan.Create(file, recipe, options);
            string target = parsed.GetValue(output) ?? CommonOptions.DefaultTarget(input, recipe.Name);
            OutputFolder.Check(plan.Files(target)[0].Path);
            CommonOptions.CheckTargets(plan.Files(target).Select(output => ("--output", (string?)output.Path)), [], file);
            QuantizationReport.Run(file, plan, target, parsed.GetValue(threads), resume: false, parsed.GetValue(json), evaluate: null, cancellationToken);
        }, CancellationToken.None));
        return command;
    }

    /// <summary>The type of most weights, so that nothing is lost: F32, F16 or BF16.</summary>
    private static string TypeOf(ModelFile file)
    {
        string? most = file.Tensors.GroupBy(t => t.TypeName).MaxBy(g => g.Sum(t => t.Bytes))?.Key;
        return most is not null && s_types.Contains(most, StringComparer.OrdinalIgnoreCase)
            ? most
            : throw new NibbleException($"{file.Path}: its weights are {most ?? "missing"}; name the type to give a quantized model with --type, as in --type f16");
    }
}
