namespace Nibble.Evaluation.Comparison.Running;

/// <summary>The importance matrix that variants are made with: a file of it, or a text to collect it on, of which it is kept beside the measurements.</summary>
public sealed record ImportanceRequest
{
    /// <summary>The file of the matrix; <see langword="null"/> where it is to be collected.</summary>
    public string? MatrixPath { get; init; }

    /// <summary>The text to collect it on, UTF-8.</summary>
    public ReadOnlyMemory<byte> Text { get; init; }

    /// <summary>The name of that text's file.</summary>
    public string? TextName { get; init; }

    /// <summary>Parts of names of the tensors to use it for; all where there are none.</summary>
    public IReadOnlyList<string> Include { get; init; } = [];

    /// <summary>Parts of names of the tensors not to use it for.</summary>
    public IReadOnlyList<string> Exclude { get; init; } = [];
}
