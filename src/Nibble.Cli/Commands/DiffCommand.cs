using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Nibble.Cli.Terminal;
using Nibble.Evaluation.Divergence;
using Nibble.Evaluation.Statistics;
using Nibble.Formats;
using Nibble.Generation;

namespace Nibble.Cli.Commands;

/// <summary><c>nibble diff A B --prompts FILE</c>: where the texts of two models part.</summary>
internal static class DiffCommand
{
    private const int UsualTokens = 64, UsualShown = 10, ShownCharacters = 60;

    public static Command Create()
    {
        Argument<string> first = new("A") { Description = "A GGUF file, or a Hugging Face model folder; usually the original." };
        Argument<string> second = new("B") { Description = "The model to compare with it, of the same vocabulary." };
        Option<string> prompts = new("--prompts", "-f") { Description = "The prompts: one on each line; of a .jsonl file the field \"prompt\", with \"json\": true where JSON is to come.", HelpName = "FILE", Required = true };
        Option<int> tokens = new("--predict", "-n", "--n-predict") { Description = "Tokens to generate for each prompt.", DefaultValueFactory = _ => UsualTokens, HelpName = "N" };
        Option<int?> context = CommonOptions.Context("Tokens of prompt and text together. Default: the model's context.");
        Option<int> shown = new("--show") { Description = "Prompts to show of those whose texts differ.", DefaultValueFactory = _ => UsualShown, HelpName = "N" };
        Option<int> threads = CommonOptions.ModelThreads();
        Option<bool> noRepack = CommonOptions.NoRepack();
        Option<I2_SLayout?> layout = CommonOptions.I2SLayout();
        Option<bool> json = CommonOptions.Json();
        CommandWithExamples command = new("diff", "Show where the texts of two models part, each always taking the likeliest token.",
            "nibble diff models/tiny tiny-Q4_K_M.gguf --prompts prompts.txt",
            "nibble diff llama-F16.gguf llama-Q4_K_M.gguf --prompts prompts.jsonl -n 128 --json")
        {
            first, second, prompts, tokens, context, shown, layout, threads, noRepack,
        };
        CacheSettings cache = new(command);
        command.Add(json);
        command.SetAction((parsed, cancellationToken) => Task.Run(() =>
        {
            IReadOnlyList<DiffPrompt> asked = DiffPrompt.ReadFile(parsed.GetRequiredValue(prompts));
            int count = parsed.GetValue(tokens);
            string firstPath = parsed.GetRequiredValue(first), secondPath = parsed.GetRequiredValue(second);
            ModelPair.Check(firstPath, secondPath, parsed.GetValue(layout));
            IReadOnlyList<GreedyText> a = Generate(firstPath), b = Generate(secondPath);
            GreedyDiff diff = GreedyDiff.Of(asked, a, b, count);
            if (parsed.GetValue(json)) WriteJson(diff, firstPath, secondPath);
            else Print(diff, firstPath, secondPath, parsed.GetValue(shown));

            IReadOnlyList<GreedyText> Generate(string path)
            {
                using LanguageModel model = LanguageModel.Open(path, new ModelOptions { Threads = parsed.GetValue(threads), Repack = !parsed.GetValue(noRepack), I2SLayout = parsed.GetValue(layout) });
                CommonOptions.TellLayout(model.File);
                return ProgressDisplay.Run(Path.GetFileName(Path.TrimEndingDirectorySeparator(path)), show => GreedyText.Generate(model, asked, count, parsed.GetValue(context), cache.Read(parsed),
                    new SynchronousProgress<double>(fraction => show(new Step(fraction, ""))), cancellationToken));
            }
        }, CancellationToken.None));
        return command;
    }

    private static void Print(GreedyDiff diff, string first, string second, int shown)
    {
        PromptDiff[] different = [.. diff.Prompts.Where(d => !d.IsSame)];
        if (different.Length > 0 && shown > 0)
        {
            TextTable texts = new(null, ["prompt", "alike", "both", $"A: {Path.GetFileName(first)}", $"B: {Path.GetFileName(second)}"], textColumns: 1, textColumnsAtEnd: 3);
            foreach (PromptDiff d in different.OrderBy(d => d.Alike).Take(shown))
            {
                string both = d.First.First(d.Alike);
                texts.Add(Start(d.Prompt.Text), d.Alike.ToString(CultureInfo.InvariantCulture), End(both), Start(d.First.Text[both.Length..]), Start(d.Second.Text[both.Length..]));
            }
            texts.Print(asMarkdown: false);
            if (different.Length > shown) Screen.Print($"… and {different.Length - shown} more (--show)");
        }
        TextTable table = new(null, ["after tokens", "prompts that agree", "share", "95 % interval"], textColumns: 0);
        foreach (Agreement a in diff.Agreements)
            table.Add(a.Tokens.ToString(CultureInfo.InvariantCulture), $"{a.Prompts} of {diff.Prompts.Count}", Format.Percent(a.Share), $"{Format.Percent(a.Lower)} to {Format.Percent(a.Upper)}");
        table.Print(asMarkdown: false);
        if (diff.Json is { } json)
            Screen.Print(string.Create(CultureInfo.InvariantCulture, $"valid JSON of {(json.Items == 1 ? "1 prompt that asks" : $"{json.Items} prompts that ask")} for it: A {Format.Percent(json.Base)}, B {Format.Percent(json.Variant)}; difference {json.Difference * 100:+0.0;-0.0;0.0} points, 95 % interval {json.Lower * 100:+0.0;-0.0;0.0} to {json.Upper * 100:+0.0;-0.0;0.0}, p {json.PValue:F4}"));
    }

    private static void WriteJson(GreedyDiff diff, string first, string second) => JsonOutput.Write(json =>
    {
        json.WriteStartObject();
        json.WriteString("a", first);
        json.WriteString("b", second);
        json.WriteStartArray("agreement");
        foreach (Agreement a in diff.Agreements)
        {
            json.WriteStartObject();
            json.WriteNumber("tokens", a.Tokens);
            json.WriteNumber("prompts", a.Prompts);
            json.WriteNumber("share", a.Share);
            json.WriteNumber("lower", a.Lower);
            json.WriteNumber("upper", a.Upper);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        if (diff.Json is { } validity) WriteValidity(json, validity);
        json.WriteStartArray("prompts");
        foreach (PromptDiff d in diff.Prompts)
        {
            json.WriteStartObject();
            json.WriteString("prompt", d.Prompt.Text);
            json.WriteNumber("alike", d.Alike);
            json.WriteBoolean("same", d.IsSame);
            json.WriteString("a", d.First.Text);
            json.WriteString("b", d.Second.Text);
            if (d.Prompt.WantsJson)
            {
                json.WriteBoolean("aIsJson", JsonValidity.IsValid(d.First.Text));
                json.WriteBoolean("bIsJson", JsonValidity.IsValid(d.Second.Text));
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    });

    private static void WriteValidity(Utf8JsonWriter json, PairedComparison validity)
    {
        json.WriteStartObject("validJson");
        json.WriteNumber("prompts", validity.Items);
        json.WriteNumber("a", validity.Base);
        json.WriteNumber("b", validity.Variant);
        json.WriteNumber("difference", validity.Difference);
        json.WriteNumber("lower", validity.Lower);
        json.WriteNumber("upper", validity.Upper);
        json.WriteNumber("gained", validity.Gained!.Value);
        json.WriteNumber("lost", validity.Lost!.Value);
        json.WriteNumber("p", validity.PValue!.Value);
        json.WriteEndObject();
    }

    private static string Start(string text) => Format.Printable(text.Length <= ShownCharacters ? text : text[..ShownCharacters] + "…");

    private static string End(string text) => Format.Printable(text.Length <= ShownCharacters ? text : "…" + text[^ShownCharacters..]);
}
