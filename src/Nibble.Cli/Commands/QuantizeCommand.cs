using System.CommandLine;
using Nibble.Files;
using Nibble.Quantization;

namespace Nibble.Cli.Commands;

/// <summary><c>nibble quantize INPUT [TYPE]</c>: a model with its matrices in fewer bits.</summary>
internal static class QuantizeCommand
{
    public static Command Create()
    {
        Argument<string> input = new("INPUT") { Description = "A GGUF file, or a Hugging Face model folder." };
        Argument<string> type = new("TYPE")
        {
            Description = $"One of {Recipe.Names}; upper and lower case are the same.",
            DefaultValueFactory = _ => "Q4_K_M",
        };
        Option<string?> output = CommonOptions.Output("The GGUF file to write. Default: beside the input, called after it and the type.");
        Option<bool> requantize = new("--allow-requantize") { Description = "Also quantize tensors that are quantized already, which loses more than starting from the original." };
        Option<int> threads = CommonOptions.Threads();
        Option<bool> json = CommonOptions.Json();
        CommandWithExamples command = new("quantize", "Store a model's matrices in fewer bits.",
            "nibble quantize models/tiny Q4_K_M",
            "nibble quantize llama-3.2-1b-bf16.gguf q6_k -o llama-3.2-1b-q6_k.gguf",
            "nibble quantize ~/models/Qwen3-0.6B Q5_K_M --json")
        {
            input, type, output, requantize, threads, json,
        };
        command.SetAction((parsed, cancellationToken) => Task.Run(() =>
        {
            Recipe recipe = Recipe.Parse(parsed.GetRequiredValue(type));
            string path = parsed.GetRequiredValue(input);
            using ModelFile file = ModelFile.Open(path);
            QuantizationPlan plan = QuantizationPlan.Create(file, recipe, allowRequantize: parsed.GetValue(requantize));
            string target = parsed.GetValue(output) ?? CommonOptions.DefaultTarget(path, recipe.Name);
            QuantizationReport.Run(file, plan, target, parsed.GetValue(threads), parsed.GetValue(json), cancellationToken);
        }, CancellationToken.None));
        return command;
    }
}
