using System.Security.Cryptography;
using Nibble.Tokenizers;

namespace Nibble.Evaluation;

/// <summary>A text that models are measured on.</summary>
/// <param name="Name">The name of its file, without the folder.</param>
/// <param name="Sha256">SHA-256 of its bytes, 64 hexadecimal digits in lower case.</param>
/// <param name="Tokens">All its tokens, with the beginning-of-text token in front where the model wants one.</param>
public sealed record EvaluationText(string Name, string Sha256, ReadOnlyMemory<int> Tokens)
{
    /// <summary>The tokens of a text.</summary>
    /// <param name="name">The name of its file.</param>
    /// <param name="bytes">The text, UTF-8.</param>
    /// <param name="tokenizer">The model's.</param>
    public static EvaluationText Of(string name, ReadOnlySpan<byte> bytes, Tokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        return new(name, Convert.ToHexStringLower(SHA256.HashData(bytes)), tokenizer.Encode(bytes));
    }
}
