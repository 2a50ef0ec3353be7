namespace Nibble.Tokenizers;

/// <summary>What one encoding at a time needs to itself; a tokenizer keeps one for the next call, and threads that meet get their own.</summary>
internal sealed class Workspace
{
    public WordCache Cache { get; } = new();

    public Merger Merger { get; } = new();
}
