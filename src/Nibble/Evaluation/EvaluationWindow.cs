namespace Nibble.Evaluation;

/// <summary>A piece of a text that a model reads from an empty cache.</summary>
/// <param name="Start">Its first token, counted through the text.</param>
/// <param name="Length">Its tokens. The last has no successor in the window, so it is only predicted, not read.</param>
/// <param name="FirstScored">The first whose successor is scored, counted from <paramref name="Start"/>.</param>
public readonly record struct EvaluationWindow(int Start, int Length, int FirstScored)
{
    /// <summary>Tokens that the window scores.</summary>
    public int Scored => Length - 1 - FirstScored;

    /// <summary>The windows of a text, in order.</summary>
    /// <param name="tokens">Tokens of the text.</param>
    /// <param name="options">How it is cut.</param>
    /// <param name="name">The name of the text, for errors.</param>
    /// <exception cref="NibbleException">The text is too short, or an option makes no sense.</exception>
    public static IReadOnlyList<EvaluationWindow> Of(int tokens, EvaluationOptions options, string name = "the text")
    {
        ArgumentNullException.ThrowIfNull(options);
        int context = options.ContextLength;
        if (context < 4) Throw.BadInput($"a context of {context} tokens is too short to measure; take at least 4 (--ctx)");
        if (options.Windows < 1) Throw.BadInput($"{options.Windows} windows were asked for; take at least 1 (--windows)");
        if (options.Stride is { } stride) return Overlapping(tokens, context, stride, options.Windows, name);
        int count = Math.Min(options.Windows, tokens / context);
        if (count < 1) Throw.BadInput($"{name} has {tokens} tokens, less than one window of {context}; take a longer text or a smaller context (--ctx)");
        return [.. Enumerable.Range(0, count).Select(w => new EvaluationWindow(w * context, context, context / 2))];
    }

    /// <summary>Each window ends <paramref name="stride"/> tokens behind the one before it and scores those; the first scores all it has.</summary>
    private static List<EvaluationWindow> Overlapping(int tokens, int context, int stride, int most, string name)
    {
        if (stride < 1 || stride >= context) Throw.BadInput($"--stride is {stride}; take 1 to {context - 1}, so that windows of {context} tokens (--ctx) overlap; without --stride they do not");
        if (tokens < 2) Throw.BadInput($"{name} has {tokens} tokens, of which none has one before it; take a longer text");
        List<EvaluationWindow> windows = [];
        for (int start = 0, end = 0; end < tokens && windows.Count < most; start += stride)
        {
            int from = end;
            end = (int)Math.Min((long)start + context, tokens);
            EvaluationWindow window = new(start, end - start, Math.Max(0, from - 1 - start));
            if (window.Scored > 0) windows.Add(window);
        }
        return windows;
    }
}
