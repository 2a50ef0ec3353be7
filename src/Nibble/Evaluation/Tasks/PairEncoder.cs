using Nibble.Evaluation.Batching;
using Nibble.Tokenizers;

namespace Nibble.Evaluation.Tasks;

/// <summary>
/// Texts to tokens by the harness's rules. Spaces at the end of the beginning go over to the end, where tokenizers want them; beginning
/// and end are encoded together, and what goes beyond the tokens of the beginning alone is the end. Where the two have a token in common,
/// that counts to the beginning.
/// </summary>
/// <param name="tokenizer">The model's tokenizer.</param>
/// <param name="contextLength">Tokens that the model reads at most.</param>
internal sealed class PairEncoder(Tokenizer tokenizer, int contextLength)
{
    private string? _context;
    private int _contextTokens;

    /// <summary>
    /// The tokens of a text whose end is scored; of one that is too long the last, one more than the context holds, since the last token is
    /// only predicted. An end that alone is longer than the context, where the harness gives up, comes in pieces of half a context, each
    /// after as much of what precedes it as there is room for.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="source">What it belongs to, for errors.</param>
    /// <param name="truncated">Tokens left out at the beginning.</param>
    /// <exception cref="NibbleException">Its end has no token of its own.</exception>
    public IEnumerable<ScoredTokens> Encode(ScoredText text, string source, out int truncated)
    {
        (string context, string continuation) = text;
        string trimmed = context.TrimEnd();
        continuation = context[trimmed.Length..] + continuation;
        int[] tokens = trimmed.Length > 0 ? Whole(trimmed + continuation) : AfterNothing(continuation, source);
        int first = trimmed.Length > 0 ? ContextTokens(trimmed) : 1;
        if (tokens.Length <= first || first == 0) Throw.BadInput($"{source}: the choice '{text.Continuation}' has no token of its own, since the tokenizer joins it with the text before it; begin it with a space");
        truncated = Math.Max(0, tokens.Length - contextLength - 1);
        return tokens.Length - first <= contextLength ? [new(tokens[truncated..], first - truncated)] : Pieces(tokens, first);
    }

    /// <summary>The tokens of a prompt that leaves room for <paramref name="generated"/> more; of one that is too long the last.</summary>
    public int[] EncodePrompt(string prompt, int generated, out int truncated)
    {
        int[] tokens = Whole(prompt);
        truncated = Math.Max(0, tokens.Length - (contextLength - generated));
        return tokens[truncated..];
    }

    private IEnumerable<ScoredTokens> Pieces(int[] tokens, int first)
    {
        int most = Math.Max(1, contextLength / 2);
        for (int start = first; start < tokens.Length; start += most)
        {
            int end = Math.Min(start + most, tokens.Length), left = Math.Max(0, end - contextLength - 1);
            yield return new(tokens[left..end], start - left);
        }
    }

    /// <summary>A text with the token before it with which the model wants a text to begin; no token after it, as it goes on.</summary>
    private int[] Whole(string text)
    {
        int[] tokens = tokenizer.Encode(text, addSpecial: false);
        return tokenizer.AddBos ? [tokenizer.Bos!.Value, .. tokens] : tokens;
    }

    private int ContextTokens(string context)
    {
        if (context == _context) return _contextTokens; // the choices of an item follow one another
        _context = context;
        return _contextTokens = Whole(context).Length;
    }

    /// <summary>An end without a beginning stands after the token that begins a text, or the one that ends the text before it.</summary>
    private int[] AfterNothing(string continuation, string source)
    {
        int[] tokens = tokenizer.Encode(continuation, addSpecial: false);
        int? before = tokenizer.Bos ?? tokenizer.Eos;
        if (before is null) Throw.BadInput($"{source}: the text before the choices is empty, and the model has no token to begin with; write at least one word");
        return tokens is [var first, ..] && first == before ? tokens : [before!.Value, .. tokens];
    }
}
