using System.Security.Cryptography;
using Nibble.Cli.Terminal;
using Nibble.Files;
using Nibble.Generation;
using Nibble.Quantization.Importance;

namespace Nibble.Cli.Commands;

/// <summary>Runs a model on a text, with progress, to learn which columns of its matrices matter.</summary>
/// <param name="TextPath">The text.</param>
/// <param name="Context">Tokens of a window, or <see langword="null"/> for the usual.</param>
/// <param name="Chunks">Windows to read at most.</param>
internal sealed record Calibration(string TextPath, int? Context, int Chunks)
{
    /// <summary>Tokens of a window where the model has as many.</summary>
    public const int UsualWindow = ImportanceCollector.UsualWindow;

    /// <summary>Whether the output matrix counts too.</summary>
    public bool IncludeOutput { get; init; }

    /// <summary>Where to save what was collected so far, and go on from; <see langword="null"/> for nowhere.</summary>
    public string? Checkpoint { get; init; }

    /// <summary>Windows from one saving to the next.</summary>
    public int SaveEvery { get; init; }

    public ImportanceMatrix Collect(string modelPath, ModelOptions options, CancellationToken cancellationToken)
    {
        byte[] bytes = TextFile.ReadText(TextPath, cancellationToken);
        using LanguageModel language = LanguageModel.Open(modelPath, options);
        CommonOptions.TellLayout(language.File);
        int window = language.ContextFor(Context ?? Math.Min(UsualWindow, language.Network.ContextLength));
        int[] tokens = language.Tokenizer.Encode(bytes);
        // A checkpoint goes on only with the same model, the same text and the same window.
        ImportanceOrigin origin = new(Checkpoint is null ? "" : $"{ContentIdentity.Of(language.File)}|{language.File.Layout}", Convert.ToHexStringLower(SHA256.HashData(bytes)), window, IncludeOutput);
        ImportanceMatrix? saved = Checkpoint is null ? null : ImportanceFile.TryReadCheckpoint(Checkpoint, origin);
        if (saved?.Chunks > Chunks)
            throw new NibbleException($"{Checkpoint}: an earlier run saved {saved.Chunks} windows here, more than --chunks {Chunks}; take more, delete this file to begin anew, or name another file with --output");
        ImportanceMatrix matrix = saved ?? new ImportanceMatrix { ChunkLength = window };
        if (matrix.Chunks > 0) Screen.Tell($"going on after {(matrix.Chunks == 1 ? "1 window" : $"{matrix.Chunks} windows")}, which an earlier run saved in {Checkpoint}");
        if (!matrix.Datasets.Contains(Path.GetFileName(TextPath))) matrix.Datasets.Add(Path.GetFileName(TextPath));
        int total = Math.Max(1, Math.Min(Chunks, tokens.Length / window));
        return ProgressDisplay.Run("Importance", show =>
        {
            ImportanceCollector.Collect(language.Network, tokens, language.Tokenizer.AddBos ? language.Tokenizer.Bos : null, matrix, Chunks, IncludeOutput, language.Pool, m =>
            {
                show(new Step((double)m.Chunks / total, $"window {m.Chunks} of {total}"));
                if (Checkpoint is not null && m.Chunks % SaveEvery == 0 && m.Chunks < total) ImportanceFile.WriteCheckpoint(m, Checkpoint, origin);
            }, cancellationToken);
            return matrix;
        });
    }
}
