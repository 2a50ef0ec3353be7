using Nibble.Models;

namespace Nibble.Generation;

/// <summary>How text is generated. Names and defaults are llama.cpp's.</summary>
public sealed record GenerationOptions
{
    /// <summary>Tokens to generate at most; <see langword="null"/> for as many as the context holds.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>Tokens of prompt and text together; <see langword="null"/> for 4096, or the model's context where that is shorter.</summary>
    public int? ContextLength { get; init; }

    /// <summary>How keys and values are stored; <see langword="null"/> for half precision.</summary>
    public CacheOptions? Cache { get; init; }

    /// <summary>Divides the scores: below 1 the likely becomes likelier, 0 always takes the likeliest token (greedy).</summary>
    public float Temperature { get; init; } = 0.8f;

    /// <summary>Only so many of the likeliest tokens are considered; 0 for all.</summary>
    public int TopK { get; init; } = 40;

    /// <summary>Only the likeliest tokens that together have this probability are considered; 1 for all.</summary>
    public float TopP { get; init; } = 0.95f;

    /// <summary>Only tokens at least this fraction as likely as the likeliest are considered; 0 for all.</summary>
    public float MinP { get; init; } = 0.05f;

    /// <summary>Scores of tokens that occurred lately are divided by this where positive and multiplied where negative; 1 changes nothing.</summary>
    public float RepeatPenalty { get; init; } = 1;

    /// <summary>How many of the last tokens count as lately; -1 for all.</summary>
    public int RepeatLastN { get; init; } = 64;

    /// <summary>The same seed gives the same tokens; <see langword="null"/> for a new one each time.</summary>
    public int? Seed { get; init; }

    /// <summary>Whether to go on after a token by which the model ends its text.</summary>
    public bool IgnoreEnd { get; init; }

    /// <summary>Checks that every value makes sense.</summary>
    /// <exception cref="NibbleException">One does not; the message names it.</exception>
    public void Validate()
    {
        Check(MaxTokens is null or >= 0, "the number of tokens (-n)", MaxTokens, "0 or more");
        Check(Temperature >= 0 && float.IsFinite(Temperature), "temperature", Temperature, "0 or more");
        Check(TopK >= 0, "top-k", TopK, "0 (off) or more");
        Check(TopP is > 0 and <= 1, "top-p", TopP, "above 0 and at most 1");
        Check(MinP is >= 0 and <= 1, "min-p", MinP, "from 0 to 1");
        Check(RepeatPenalty > 0 && float.IsFinite(RepeatPenalty), "repeat penalty", RepeatPenalty, "above 0");
        Check(RepeatLastN >= -1, "repeat last n", RepeatLastN, "-1 (all) or more");
    }

    private static void Check(bool holds, string name, object? value, string wanted)
    {
        if (!holds) Throw.BadInput(FormattableString.Invariant($"{name} is {value}; it must be {wanted}"));
    }
}
