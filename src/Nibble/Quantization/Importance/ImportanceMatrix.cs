using Nibble.Kernels;

namespace Nibble.Quantization.Importance;

/// <summary>
/// How much each column of each matrix matters: the sum of squares of its inputs over a calibration text.
/// Quantizers weigh the error of a weight by the mean square of its column's input.
/// </summary>
public sealed class ImportanceMatrix
{
    private readonly Dictionary<string, ImportanceEntry> _entries = new(StringComparer.Ordinal);

    /// <summary>The matrices by the name of their tensor.</summary>
    public IReadOnlyDictionary<string, ImportanceEntry> Entries => _entries;

    /// <summary>The texts it was collected on.</summary>
    public IList<string> Datasets { get; } = [];

    /// <summary>Windows of text that were read.</summary>
    public int Chunks { get; set; }

    /// <summary>Tokens of a window.</summary>
    public int ChunkLength { get; set; }

    /// <summary>What to give the quantizer: the mean square of each column's input, <c>[columns]</c> or for experts <c>[experts * columns]</c>, by tensor name.</summary>
    /// <param name="include">Parts of names of the tensors to tell of; all where there are none.</param>
    /// <param name="exclude">Parts of names of the tensors to leave out.</param>
    public Dictionary<string, float[]> Means(IReadOnlyList<string>? include = null, IReadOnlyList<string>? exclude = null) => _entries
        .Where(e => (include is not { Count: > 0 } || include.Any(e.Key.Contains)) && exclude?.Any(e.Key.Contains) != true)
        .ToDictionary(e => e.Key, e => e.Value.Means(), StringComparer.Ordinal);

    /// <summary>Experts that saw so few tokens, less than a tenth of an even share, that their importance means little.</summary>
    public IEnumerable<(string Tensor, int Expert, long Tokens)> RareExperts() =>
        from entry in _entries
        where entry.Value.Matrices > 1
        let fair = (double)entry.Value.Counts.Sum() / entry.Value.Matrices
        from expert in Enumerable.Range(0, entry.Value.Matrices)
        where entry.Value.Counts[expert] < fair / 10 || entry.Value.Counts[expert] == 0
        select (entry.Key, expert, entry.Value.Counts[expert]);

    /// <summary>Adds the inputs of a matrix.</summary>
    internal void Observe(string tensor, Activations input)
    {
        if (!_entries.TryGetValue(tensor, out ImportanceEntry? entry)) _entries[tensor] = entry = new ImportanceEntry(input.Columns, 1);
        for (int token = 0; token < input.Tokens; token++) entry.Observe(0, input.Read(token));
    }

    /// <summary>Counts the window at hand.</summary>
    internal void EndWindow()
    {
        foreach (ImportanceEntry entry in _entries.Values) entry.EndWindow();
        Chunks++;
    }

    /// <summary>Sets what is known of a matrix.</summary>
    internal void Set(string tensor, ImportanceEntry entry) => _entries[tensor] = entry;

    /// <summary>Adds what another matrix knows, so that both texts count by their length.</summary>
    /// <exception cref="NibbleException">They are of different models.</exception>
    public void Merge(ImportanceMatrix other)
    {
        ArgumentNullException.ThrowIfNull(other);
        foreach ((string tensor, ImportanceEntry theirs) in other._entries)
        {
            ImportanceEntry entry = theirs;
            if (_entries.TryGetValue(tensor, out ImportanceEntry? mine) && mine.Columns * mine.Matrices == entry.Columns * entry.Matrices)
            {
                if (mine.Matrices == 1 && entry.Matrices > 1) _entries[tensor] = mine = mine.Split(entry.Matrices);
                if (entry.Matrices == 1 && mine.Matrices > 1) entry = entry.Split(mine.Matrices);
            }
            if (mine is null) _entries[tensor] = entry.Clone();
            else if (mine.Columns != entry.Columns || mine.Matrices != entry.Matrices)
                Throw.BadInput($"importance of tensor '{tensor}' has {mine.Matrices} x {mine.Columns} values in one file and {entry.Matrices} x {entry.Columns} in another; they are of different models");
            else mine.Add(entry);
        }
        foreach (string dataset in other.Datasets)
            if (!Datasets.Contains(dataset)) Datasets.Add(dataset);
        int length = Math.Max(ChunkLength, other.ChunkLength);
        long tokens = (long)Chunks * ChunkLength + (long)other.Chunks * other.ChunkLength;
        // Windows of several lengths count as so many of the longest; where a length is not known, windows are windows.
        bool isMixed = Chunks > 0 && other.Chunks > 0 && ChunkLength > 0 && other.ChunkLength > 0 && ChunkLength != other.ChunkLength;
        Chunks = isMixed ? (int)Math.Min((tokens + length - 1) / length, int.MaxValue) : Chunks + other.Chunks;
        ChunkLength = length;
    }
}
