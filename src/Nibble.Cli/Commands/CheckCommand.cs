using System.CommandLine;
using System.Globalization;
using Nibble.Cli.Terminal;
using Nibble.Evaluation;
using Nibble.Evaluation.Cards;
using Nibble.Evaluation.Divergence;

namespace Nibble.Cli.Commands;

/// <summary><c>nibble check FILE --base BASE --text FILE --max-kld X</c>: whether a variant is as good as a pipeline wants it.</summary>
internal static class CheckCommand
{
    public static Command Create()
    {
        Argument<string> variant = new("FILE") { Description = "The model to check: a GGUF file, or a Hugging Face model folder." };
        Option<string> reference = new("--base") { Description = "The model it was made of, or a file that nibble kld --save-base made, which needs no --text.", HelpName = "BASE", Required = true };
        Option<double?> divergence = Bound("--max-kld", "Largest mean KL divergence, in nats, as in 0.05.", example: "a number from 0, such as 0.05", largest: double.MaxValue);
        Option<double?> increase = Bound("--max-ppl-increase", "Largest increase of the perplexity, as in 2% or 0.02.", example: "a share, such as 2% or 0.02", largest: 1, largestPercent: double.MaxValue);
        Option<double?> same = Bound("--min-same-top", "Smallest share of tokens with the same likeliest token, as in 95% or 0.95.", example: "a share, such as 95% or 0.95", largest: 1, largestPercent: 100);
        Option<bool> json = CommonOptions.Json();
        CommandWithExamples command = new("check", "Check that a variant is close enough to its base, for pipelines: exit code 0 where it keeps all bounds, 3 with the reason where it breaks one.",
            "nibble check tiny-Q4_K_M.gguf --base models/tiny --text models/tiny/sample.txt --max-kld 0.05 --max-ppl-increase 2%",
            "nibble check llama-q4_k_m.gguf --base llama.base --min-same-top 90% --json")
        {
            variant, reference, divergence, increase, same,
        };
        EvaluationSettings settings = new(command);
        command.Add(json);
        command.SetAction((parsed, cancellationToken) => Task.Run(() =>
        {
            QualityBounds bounds = new() { MaxDivergence = parsed.GetValue(divergence), MaxPerplexityIncrease = parsed.GetValue(increase), MinSameTop = parsed.GetValue(same) };
            if (bounds.IsEmpty) throw new NibbleException("there is nothing to check; give --max-kld, --max-ppl-increase or --min-same-top");
            string file = parsed.GetRequiredValue(variant);
            (DivergenceResult result, EvaluationRecord record) = KldRun.Compare(parsed, settings, parsed.GetRequiredValue(reference), file, planned: null, cancellationToken);
            IReadOnlyList<string> broken = bounds.Broken(result);
            if (parsed.GetValue(json)) WriteJson(file, broken, result, record);
            if (broken.Count > 0) throw new BrokenBoundsException($"{file}: {string.Join("; ", broken)}");
            if (!parsed.GetValue(json))
                Screen.Print(string.Create(CultureInfo.InvariantCulture, $"{file} keeps all bounds ({bounds}): KL divergence {result.Mean.ToText("F6")}, perplexity {result.Increase.ToText("F2", 100, "+0.00;-0.00;0.00")} %, same top token {result.SameTop.ToText("F2", 100)} %"));
        }, CancellationToken.None));
        return command;
    }

    private static void WriteJson(string file, IReadOnlyList<string> broken, DivergenceResult result, EvaluationRecord record) => JsonOutput.Write(writer =>
    {
        writer.WriteStartObject();
        writer.WriteString("file", file);
        writer.WriteBoolean("kept", broken.Count == 0);
        writer.WriteStartArray("broken");
        foreach (string reason in broken) writer.WriteStringValue(reason);
        writer.WriteEndArray();
        KldReport.WriteProperties(writer, result, record);
        writer.WriteEndObject();
    });

    /// <summary>A number from 0 on; where <paramref name="largestPercent"/> is not 0, a share, which above 1 must have a percent sign: 2 would be 200 %, and is likely meant as 2 %.</summary>
    private static Option<double?> Bound(string name, string description, string example, double largest, double largestPercent = 0) => new(name)
    {
        Description = description,
        HelpName = largestPercent > 0 ? "SHARE" : "X",
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            bool isPercent = largestPercent > 0 && text.EndsWith('%');
            if (double.TryParse(isPercent ? text[..^1].TrimEnd() : text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && number >= 0 && number <= (isPercent ? largestPercent : largest))
                return isPercent ? number / 100 : number;
            result.AddError($"{name} is '{text}'; take {example}");
            return null;
        },
    };
}
