namespace Nibble.Evaluation.Divergence;

/// <summary>What the head of a base file says. docs/Formats.md has the layout.</summary>
/// <param name="Vocabulary">Tokens that the base scores.</param>
/// <param name="ContextLength">Tokens of a window.</param>
/// <param name="Windows">Windows, which do not overlap.</param>
/// <param name="BeginningOfText">The token that each window starts with in place of the text's, or <see langword="null"/>.</param>
/// <param name="Top">Likeliest tokens kept of each distribution.</param>
/// <param name="Sampled">Tokens drawn from the rest of each.</param>
/// <param name="TextName">The name of the text's file.</param>
/// <param name="TextSha256">SHA-256 of the text.</param>
/// <param name="VocabularySha256">See <see cref="VocabularyComparison.Hash"/>.</param>
/// <param name="BaseName">The name of the base's file or folder.</param>
/// <param name="BaseSha256">SHA-256 of the bytes of its files, one after the other.</param>
/// <param name="Cache">How its keys and values were stored, see <see cref="Models.CacheOptions.Description"/>.</param>
public sealed record BaseHeader(int Vocabulary, int ContextLength, int Windows, int? BeginningOfText, int Top, int Sampled,
    string TextName, string TextSha256, string VocabularySha256, string BaseName, string BaseSha256, string Cache)
{
    /// <summary>More than this of a distribution tells hardly anything, however large the vocabulary.</summary>
    private const int MostKept = 192;

    /// <summary>A file has at most this share of the bytes of all scores in single precision; vocabularies of less than a thousand tokens have more.</summary>
    private const double LargestShare = 0.01;

    private const int FewestKept = 8;

    /// <summary>Bytes of a record beside those of the kept tokens: the log-probability of the text's token and the mass of the rest.</summary>
    public const int FixedBytes = 2 * sizeof(float);

    /// <summary>The same for a token of a record: its logarithm.</summary>
    public const int LogarithmBytes = sizeof(ushort);

    /// <summary>Bytes of a token's number.</summary>
    public int IdBytes => IdBytesOf(Vocabulary);

    /// <summary>Tokens that a record keeps.</summary>
    public int Kept => Top + Sampled;

    /// <summary>Bytes of what is kept of one distribution.</summary>
    public int RecordBytes => FixedBytes + Kept * (IdBytes + LogarithmBytes);

    /// <summary>Scored tokens: those of the second half of each window.</summary>
    public long Records => (long)Windows * (ContextLength - 1 - ContextLength / 2);

    /// <summary>Tokens of the text that are read.</summary>
    public long Tokens => (long)Windows * ContextLength;

    /// <summary>How many likeliest tokens and how many of the rest to keep for a vocabulary.</summary>
    public static (int Top, int Sampled) KeptFor(int vocabulary)
    {
        // Each scored token also costs the numbers of two tokens of the text.
        double room = LargestShare * vocabulary * sizeof(float) - FixedBytes - 2 * sizeof(int);
        int kept = (int)Math.Clamp(room / (IdBytesOf(vocabulary) + LogarithmBytes), FewestKept, MostKept);
        int sampled = kept / 2;
        return vocabulary <= kept ? (vocabulary, 0) : (kept - sampled, sampled);
    }

    private static int IdBytesOf(int vocabulary) => vocabulary <= 1 << 16 ? sizeof(ushort) : sizeof(uint);
}
