using Nibble.Kernels;
using Nibble.Models;

namespace Nibble.Quantization.Importance;

/// <summary>
/// Collects an importance matrix as llama.cpp's tool does: the text in windows that do not overlap, the first token of each replaced by the
/// beginning-of-text token where the model wants one; every matrix of the layers counts, the output does not unless asked for.
/// </summary>
public static class ImportanceCollector
{
    /// <summary>Tokens of a window where nothing else is asked for, and the model has as many.</summary>
    public const int UsualWindow = 512;

    private const string LayerPrefix = "blk.";

    /// <summary>Adds the windows from <see cref="ImportanceMatrix.Chunks"/> on to <paramref name="matrix"/>, so that an interrupted collection goes on where it was.</summary>
    /// <param name="model">The model.</param>
    /// <param name="tokens">The whole text, with the beginning-of-text token in front where the model wants one.</param>
    /// <param name="beginningOfText">The token to start each window with, or <see langword="null"/>.</param>
    /// <param name="matrix">What was collected so far; its <see cref="ImportanceMatrix.ChunkLength"/> is the length of a window.</param>
    /// <param name="chunks">Windows to read at most.</param>
    /// <param name="includeOutput">Whether the output matrix counts too.</param>
    /// <param name="pool">The threads to use; the result does not depend on their number.</param>
    /// <param name="afterChunk">Called after every window, for progress and for saving what was collected.</param>
    /// <param name="cancellationToken">Stops after the window at hand.</param>
    /// <exception cref="NibbleException">The text has less than one window, or the model's values are not numbers.</exception>
    public static void Collect(Transformer model, ReadOnlyMemory<int> tokens, int? beginningOfText, ImportanceMatrix matrix, int chunks, bool includeOutput,
        WorkerPool pool, Action<ImportanceMatrix>? afterChunk = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(matrix);
        int length = matrix.ChunkLength, count = Math.Min(chunks, tokens.Length / length);
        if (count < 1) Throw.BadInput($"the text has {tokens.Length} tokens, less than one window of {length}; take a longer text or a smaller context (--ctx)");

        using Session session = new(model, length, pool);
        session.Observer = (linear, input) =>
        {
            if (linear.Name.StartsWith(LayerPrefix, StringComparison.Ordinal) || includeOutput) matrix.Observe(linear.Name, input);
        };
        int[] window = new int[length];
        while (matrix.Chunks < count)
        {
            cancellationToken.ThrowIfCancellationRequested();
            tokens.Span.Slice(matrix.Chunks * length, length).CopyTo(window);
            if (beginningOfText is { } bos) window[0] = bos;
            session.Truncate(0);
            session.Append(window, includeOutput ? length / 2 : length - 1, cancellationToken: cancellationToken);
            matrix.EndWindow();
            afterChunk?.Invoke(matrix);
        }
        foreach ((string name, ImportanceEntry entry) in matrix.Entries)
            if (entry.Sums.Any(s => !float.IsFinite(s))) Throw.BadInput($"the input of tensor '{name}' is not a number somewhere in the text; the model's weights are damaged, download or convert it again");
    }
}
