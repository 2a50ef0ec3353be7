using System.Buffers.Binary;
using System.Security.Cryptography;
using Nibble.Files;
using Nibble.Tokenizers;

namespace Nibble.Evaluation.Divergence;

/// <summary>Whether two models speak of the same tokens, without which their predictions cannot be compared.</summary>
public static class VocabularyComparison
{
    /// <summary>How two vocabularies differ, in words that follow the name of the second, with the first token that differs; <see langword="null"/> where they are the same.</summary>
    public static string? Difference(Tokenizer reference, Tokenizer other)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(other);
        int common = Math.Min(reference.VocabularySize, other.VocabularySize);
        for (int id = 0; id < common; id++)
        {
            if (!reference.TokenBytes(id).SequenceEqual(other.TokenBytes(id)))
                return $"token {id} is {Quoted.Of(other.TokenBytes(id))}, and {Quoted.Of(reference.TokenBytes(id))} in the base";
        }
        return reference.VocabularySize == other.VocabularySize ? null
            : $"has {other.VocabularySize:N0} tokens, and the base {reference.VocabularySize:N0}; the first {common:N0} are the same";
    }

    /// <summary>Refuses two models that speak of different tokens.</summary>
    /// <param name="reference">The tokenizer of the first.</param>
    /// <param name="referencePath">Its file.</param>
    /// <param name="other">The tokenizer of the second.</param>
    /// <param name="otherPath">Its file.</param>
    /// <exception cref="NibbleException">They do; the message names the second file and the first token that differs.</exception>
    public static void Require(Tokenizer reference, string referencePath, Tokenizer other, string otherPath)
    {
        if (Difference(reference, other) is { } difference) Throw.BadFile(otherPath, $"{difference}; take a model with the vocabulary of {referencePath}");
    }

    /// <summary>SHA-256 over the number of tokens and, for each, its length and bytes: the same for the same vocabulary. Lengths are 32-bit, little-endian.</summary>
    public static string Hash(Tokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> number = stackalloc byte[sizeof(int)];
        Add(tokenizer.VocabularySize, number);
        for (int id = 0; id < tokenizer.VocabularySize; id++)
        {
            Add(tokenizer.TokenBytes(id).Length, number);
            hash.AppendData(tokenizer.TokenBytes(id));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());

        void Add(int value, Span<byte> bytes)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
            hash.AppendData(bytes);
        }
    }
}
