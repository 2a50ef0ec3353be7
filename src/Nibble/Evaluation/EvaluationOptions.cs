using Nibble.Generation;
using Nibble.Models;

namespace Nibble.Evaluation;

/// <summary>What of a text is read, and how.</summary>
public sealed record EvaluationOptions
{
    /// <summary>The window where none is asked for, if the model's context is as long.</summary>
    public const int UsualContext = 512;

    /// <summary>Tokens of a window.</summary>
    public required int ContextLength { get; init; }

    /// <summary>Windows to read at most.</summary>
    public int Windows { get; init; } = int.MaxValue;

    /// <summary>
    /// Tokens from the start of one window to that of the next, less than a window has; each scores as many, its last ones, so that every token of the text
    /// but the first is scored once (as in Hugging Face's guide to the perplexity of fixed-length models). <see langword="null"/> for windows that
    /// do not overlap, of which the second half is scored (as llama.cpp's tool does).
    /// </summary>
    public int? Stride { get; init; }

    /// <summary>
    /// The token to start each window with where they do not overlap, or <see langword="null"/>; with a stride the text itself is read,
    /// which has it in front.
    /// </summary>
    public int? BeginningOfText { get; init; }

    /// <summary>How keys and values are stored; <see langword="null"/> for half precision.</summary>
    public CacheOptions? Cache { get; init; }

    /// <summary>How a model reads a text unless something else is asked for.</summary>
    /// <param name="language">The model, which says with which token a window starts.</param>
    /// <param name="contextLength">Tokens of a window; <see langword="null"/> for <see cref="UsualContext"/>, or the model's context where that is shorter.</param>
    /// <exception cref="NibbleException">The model's context is shorter than was asked for.</exception>
    public static EvaluationOptions For(LanguageModel language, int? contextLength = null)
    {
        ArgumentNullException.ThrowIfNull(language);
        return new()
        {
            ContextLength = language.ContextFor(contextLength ?? Math.Min(UsualContext, language.Network.ContextLength)),
            BeginningOfText = language.Tokenizer.AddBos ? language.Tokenizer.Bos : null,
        };
    }
}
