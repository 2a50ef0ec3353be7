using Nibble.Files;

namespace Nibble.Quantization.Importance;

/// <summary>What quantizing takes of an importance matrix.</summary>
/// <param name="Means">For each tensor how much its columns matter; see <see cref="QuantizationOptions.Importance"/>.</param>
/// <param name="Metadata">What llama.cpp records of the matrix in the file that is made with it.</param>
public sealed record ImportanceUse(IReadOnlyDictionary<string, float[]> Means, IReadOnlyList<KeyValuePair<string, MetadataValue>> Metadata)
{
    /// <summary>Uses a matrix.</summary>
    /// <param name="matrix">The matrix.</param>
    /// <param name="file">Its file, as it is recorded; <see langword="null"/> where it has none.</param>
    /// <param name="include">Parts of names of the tensors to use it for; all where there are none.</param>
    /// <param name="exclude">Parts of names of the tensors not to use it for.</param>
    public static ImportanceUse Of(ImportanceMatrix matrix, string? file, IReadOnlyList<string> include, IReadOnlyList<string> exclude)
    {
        ArgumentNullException.ThrowIfNull(matrix);
        Dictionary<string, float[]> means = matrix.Means(include, exclude);
        List<KeyValuePair<string, MetadataValue>> metadata = [];
        if (file is not null) metadata.Add(new("quantize.imatrix.file", MetadataValue.Of(file)));
        if (matrix.Datasets.Count > 0) metadata.Add(new("quantize.imatrix.dataset", MetadataValue.Of(string.Join(", ", matrix.Datasets))));
        metadata.Add(new("quantize.imatrix.entries_count", MetadataValue.Of((uint)means.Count)));
        if (matrix.Chunks > 0) metadata.Add(new("quantize.imatrix.chunks_count", MetadataValue.Of((uint)matrix.Chunks)));
        return new(means, metadata);
    }
}
