using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Nibble.Files;
using Nibble.Generation;
using Nibble.Quantization;
using Nibble.Quantization.Importance;

namespace Nibble.Evaluation.Comparison.Running;

/// <summary>Gets the importance matrix that variants are made with.</summary>
internal sealed class ImportanceStage
{
    /// <summary>How long windows that were collected wait before they are kept.</summary>
    private static readonly TimeSpan s_keepEvery = TimeSpan.FromSeconds(2);

    private readonly LanguageModel _original;
    private readonly ImportanceRequest _request;
    private readonly ImportanceMatrix? _read;
    private readonly int[] _tokens = [];
    private readonly int _window;

    /// <param name="original">The base.</param>
    /// <param name="request">What is asked for.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="NibbleException">The file is no importance matrix, or the text is too short.</exception>
    public ImportanceStage(LanguageModel original, ImportanceRequest request, CancellationToken cancellationToken)
    {
        _original = original;
        _request = request;
        string source;
        if (request.MatrixPath is { } path)
        {
            _read = ImportanceFile.Read(path);
            source = HashedFile.Of(path, cancellationToken: cancellationToken).Sha256;
        }
        else
        {
            _window = Math.Min(ImportanceCollector.UsualWindow, original.Network.ContextLength);
            _tokens = original.Tokenizer.Encode(request.Text.Span);
            if (_tokens.Length < _window) Throw.BadInput($"{request.TextName}: has {_tokens.Length} tokens, less than one window of {_window}; collect the importance matrix on a longer text (--calibrate)");
            source = string.Create(CultureInfo.InvariantCulture, $"{Convert.ToHexStringLower(SHA256.HashData(request.Text.Span))} {request.TextName} {_window} {original.Tokenizer.AddBos} {InstructionSets.Used}");
        }
        Identity = $"{source} +{string.Join(',', request.Include)} -{string.Join(',', request.Exclude)}";
    }

    /// <summary>All that the matrix, and its use, depend on beside the base.</summary>
    public string Identity { get; }

    /// <summary>Windows to collect it on; 0 where it is a file.</summary>
    public int Windows => _window == 0 ? 0 : _tokens.Length / _window;

    /// <summary>Tokens of one.</summary>
    public int WindowLength => _window;

    /// <summary>Refuses a recipe that asks for more than the matrix has, before anything is collected.</summary>
    public void Check(Recipe recipe)
    {
        // What is going to be collected is known for its names alone: the inputs of all matrices in the layers.
        IReadOnlyDictionary<string, float[]> means = _read?.Means(_request.Include, _request.Exclude)
            ?? _original.File.Tensors.Where(t => QuantizationPlan.LayerOf(t.Name) >= 0 && t.Dimensions.Count > 1).ToDictionary(t => t.Name, t => new float[t.Columns], StringComparer.Ordinal);
        QuantizationPlan.Create(_original.File, recipe, new() { Importance = means });
    }

    /// <summary>The matrix as it is used.</summary>
    /// <param name="store">Where one that is collected is kept.</param>
    /// <param name="originalContent">What the base is.</param>
    /// <param name="read">Told how many windows are read, from what an earlier run kept on.</param>
    /// <param name="cancellationToken">Stops after the window at hand.</param>
    public ImportanceUse Get(MeasurementStore store, string originalContent, Action<int> read, CancellationToken cancellationToken) =>
        ImportanceUse.Of(_read ?? Collect(store, originalContent, read, cancellationToken), _request.MatrixPath, _request.Include, _request.Exclude);

    private ImportanceMatrix Collect(MeasurementStore store, string originalContent, Action<int> read, CancellationToken cancellationToken)
    {
        ImportanceOrigin origin = new(originalContent, Convert.ToHexStringLower(SHA256.HashData(_request.Text.Span)), _window, IncludeOutput: false);
        string path = store.PathOf("imatrix", "gguf", origin.ToString(), _request.TextName!, InstructionSets.Used);
        ImportanceMatrix matrix = TryRead(path, origin) ?? new() { ChunkLength = _window };
        int kept = matrix.Chunks;
        read(kept);
        if (!matrix.Datasets.Contains(_request.TextName!)) matrix.Datasets.Add(_request.TextName!);
        long last = Stopwatch.GetTimestamp();
        // It is not kept when it is stopped, since a window that was cut short is counted in some matrices already.
        ImportanceCollector.Collect(_original.Network, _tokens, _original.Tokenizer.AddBos ? _original.Tokenizer.Bos : null, matrix, int.MaxValue, includeOutput: false, _original.Pool, m =>
        {
            read(m.Chunks);
            if (Stopwatch.GetElapsedTime(last) >= s_keepEvery) Keep();
        }, cancellationToken);
        Keep();
        return matrix;

        void Keep()
        {
            if (matrix.Chunks == kept) return;
            MeasurementStore.CreateFor(path);
            ImportanceFile.WriteCheckpoint(matrix, path, origin);
            kept = matrix.Chunks;
            last = Stopwatch.GetTimestamp();
        }
    }

    /// <summary>What an earlier run collected; a damaged file is collected anew.</summary>
    private static ImportanceMatrix? TryRead(string path, ImportanceOrigin origin)
    {
        try
        {
            return ImportanceFile.TryReadCheckpoint(path, origin);
        }
        catch (NibbleException)
        {
            return null; // it will be replaced
        }
    }
}
