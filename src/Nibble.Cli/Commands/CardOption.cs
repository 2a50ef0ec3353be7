using System.CommandLine;
using Nibble.Cli.Terminal;
using Nibble.Evaluation.Cards;
using Nibble.Files.Gguf;

namespace Nibble.Cli.Commands;

/// <summary>The options <c>--save-card</c> and <c>--force</c> of commands that measure a model.</summary>
internal sealed class CardOption
{
    private readonly Option<bool> _save = new("--save-card") { Description = "Keep what was measured in the file's own metadata, and write a model card (NAME.gguf.md) beside it." };
    private readonly Option<bool> _force;

    /// <param name="command">The command that has the options.</param>
    /// <param name="replaced">What else <c>--force</c> replaces, in words that a sentence ends with.</param>
    public CardOption(Command command, string replaced = "")
    {
        _force = new("--force") { Description = $"Let --save-card replace a measurement in the file that is fuller than the new one{replaced}." };
        command.Add(_save);
        command.Add(_force);
    }

    /// <summary>Whether measurements are to be kept in the file.</summary>
    public bool IsAsked(ParseResult parsed) => parsed.GetValue(_save);

    /// <summary>Whether what is there may be lost.</summary>
    public bool MayReplace(ParseResult parsed) => parsed.GetValue(_force);

    /// <summary>Refuses a file that cannot keep measurements, before anything else is done.</summary>
    public void Check(ParseResult parsed, string path)
    {
        if (IsAsked(parsed)) EvaluationStore.Check(path);
    }

    /// <summary>Refuses to lose a fuller measurement, before the new one is made.</summary>
    public void CheckKeeps(ParseResult parsed, string path, PlannedMeasurement planned)
    {
        if (IsAsked(parsed) && !MayReplace(parsed)) EvaluationStore.CheckKeeps(path, planned);
    }

    /// <summary>Stores what was measured, where that is asked for.</summary>
    public void Save(ParseResult parsed, string path, EvaluationRecord measured, bool isQuiet, CancellationToken cancellationToken)
    {
        if (IsAsked(parsed)) Store(path, measured, isQuiet, cancellationToken);
    }

    /// <summary>Stores what was measured, with progress, and tells where.</summary>
    public static EvaluationRecord Store(string path, EvaluationRecord measured, bool isQuiet, CancellationToken cancellationToken)
    {
        EvaluationRecord record = ProgressDisplay.Run($"Storing in {Path.GetFileName(path)}", show =>
            EvaluationStore.Save(path, measured, (done, total) => show(new Step((double)done / total, "")), cancellationToken));
        string first = GgufMetadata.FirstPart(path);
        if (!isQuiet) Screen.Print($"stored in {first}, wrote {ModelCard.PathOf(first)}");
        return record;
    }
}
