using System.CommandLine;
using Nibble.Cli.Terminal;
using Nibble.Evaluation;
using Nibble.Evaluation.Cards;
using Nibble.Files;
using Nibble.Formats;
using Nibble.Generation;
using Nibble.Tokenizers;

namespace Nibble.Cli.Commands;

/// <summary>The option <c>--evaluate TEXT</c> of <c>nibble quantize</c>: measure what was made and keep that in its file.</summary>
internal sealed class EvaluationRequest
{
    private static readonly Option<string?> s_text = CommonOptions.File("--evaluate", "Measure the result against the input on this text (as nibble kld does), keep that in the file, and write a model card beside it.");
    private static readonly Option<int?> s_windows = new("--evaluate-windows") { Description = "Windows of that text to read at most. Default: all.", HelpName = "N" };

    /// <summary>What to tell of a run that was stopped while it measured; <see langword="null"/> before.</summary>
    public static string? Kept { get; private set; }

    private readonly EvaluationText _text;
    private readonly int _windows;

    private EvaluationRequest(EvaluationText text, int windows) => (_text, _windows) = (text, windows);

    public static IEnumerable<Option> Options => [s_text, s_windows];

    /// <summary>The text, with its option.</summary>
    public static (string Option, string? Path) Source(ParseResult parsed) => (s_text.Name, parsed.GetValue(s_text));

    /// <summary>Refuses what cannot be together.</summary>
    public static void Check(ParseResult parsed, bool isDryRun)
    {
        if (parsed.GetValue(s_windows) is < 1) throw new NibbleException("--evaluate-windows must be 1 or more");
        if (parsed.GetValue(s_text) is null)
        {
            if (parsed.GetValue(s_windows) is not null) throw new NibbleException("--evaluate-windows needs --evaluate TEXT");
            return;
        }
        if (isDryRun) throw new NibbleException("--evaluate needs the result, which --dry-run does not make; leave out one of them");
        if (RecipeCommands.Source(parsed).Path is not null || RecipeCommands.Writes(parsed))
            throw new NibbleException("--evaluate changes the metadata of the file, and a recipe is for the file without; leave out one of them, and evaluate with nibble kld --save-card afterwards");
    }

    /// <summary>What was asked for, or <see langword="null"/>; what would stop it is told before quantizing.</summary>
    public static EvaluationRequest? Read(ParseResult parsed, ModelFile source, string target, CancellationToken cancellationToken)
    {
        if (parsed.GetValue(s_text) is not { } path) return null;
        EvaluationText text = EvaluationText.Of(path == "-" ? "standard input" : Path.GetFileName(path), TextFile.ReadText(path, cancellationToken), Tokenizer.FromMetadata(source.Metadata));
        int context = (int)Math.Min(EvaluationOptions.UsualContext, source.Metadata.Integer($"{source.Metadata.String("general.architecture")}.context_length") ?? EvaluationOptions.UsualContext);
        _ = EvaluationWindow.Of(text.Tokens.Length, new() { ContextLength = context }, text.Name);
        ModelCard.CheckReplaceable(ModelCard.PathOf(target));
        return new(text, parsed.GetValue(s_windows) ?? int.MaxValue);
    }

    /// <summary>Measures what was made and stores it.</summary>
    public EvaluationRecord Measure(string source, string target, I2_SLayout? layout, int threads, CancellationToken cancellationToken)
    {
        Kept = $"{target} is complete, but not measured; nibble kld {source} {target} --text FILE --save-card does that";
        EvaluationRecord record;
        using (LanguageModel reference = LanguageModel.Open(source, new ModelOptions { Threads = threads, I2SLayout = layout }), variant = LanguageModel.Open(target, threads))
            record = KldRun.Compare(reference, variant, _text, EvaluationOptions.For(reference) with { Windows = _windows }, cancellationToken).Record;
        return CardOption.Store(target, record, isQuiet: true, cancellationToken);
    }
}
