using Nibble.Formats;

namespace Nibble.Generation;

/// <summary>How a model is opened and run.</summary>
public sealed record ModelOptions
{
    /// <summary>Threads to generate with, one token at a time; 0 for one per physical core.</summary>
    public int Threads { get; init; }

    /// <summary>Threads to read prompts with, many tokens at a time; 0 for as many as generate.</summary>
    public int PromptThreads { get; init; }

    /// <summary>
    /// Whether weights may be packed anew in memory when they are first used, in about as many bytes as they have in the file. Without
    /// it they are multiplied as they lie in the mapped file, more slowly.
    /// </summary>
    public bool Repack { get; init; } = true;

    /// <summary>How its I2_S tensors are packed, where it has some; <see langword="null"/> to find out.</summary>
    public I2_SLayout? I2SLayout { get; init; }
}
