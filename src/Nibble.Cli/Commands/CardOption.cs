using System.CommandLine;
using Nibble.Cli.Terminal;
using Nibble.Evaluation.Cards;
using Nibble.Files.Gguf;

namespace Nibble.Cli.Commands;

/// <summary>The option <c>--save-card</c> of commands that measure a model.</summary>
internal static class CardOption
{
    public static Option<bool> Create() => new("--save-card") { Description = "Keep what was measured in the file's own metadata, and write a model card (NAME.gguf.md) beside it." };

    /// <summary>Stores what was measured, with progress, and tells where.</summary>
    public static EvaluationRecord Save(string path, EvaluationRecord measured, bool isQuiet, CancellationToken cancellationToken)
    {
        EvaluationRecord record = ProgressDisplay.Run($"Storing in {Path.GetFileName(path)}", show =>
            EvaluationStore.Save(path, measured, (done, total) => show(new Step((double)done / total, "")), cancellationToken));
        string first = GgufMetadata.FirstPart(path);
        if (!isQuiet) Screen.Print($"stored in {first}, wrote {ModelCard.PathOf(first)}");
        return record;
    }
}
