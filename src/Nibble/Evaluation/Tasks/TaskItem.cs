namespace Nibble.Evaluation.Tasks;

/// <summary>One question of a task.</summary>
/// <param name="Id">What tells it from the others of its task.</param>
/// <param name="Example">The question with its right answer, as it stands before other questions as an example.</param>
public abstract record TaskItem(string Id, string Example);

/// <summary>A text of which the end is scored given its beginning.</summary>
public readonly record struct ScoredText(string Context, string Continuation);

/// <summary>A question that is answered by the likeliest of several texts.</summary>
/// <param name="Id">What tells it from the others of its task.</param>
/// <param name="Texts">A text for each choice. Either all have the same beginning, or (as in WinoGrande) the same end.</param>
/// <param name="Choices">The choices themselves, whose lengths divide the log-likelihoods where they are normalized.</param>
/// <param name="Gold">The index of the right one.</param>
/// <param name="Example">The question with its right answer.</param>
public sealed record ChoiceItem(string Id, IReadOnlyList<ScoredText> Texts, IReadOnlyList<string> Choices, int Gold, string Example) : TaskItem(Id, Example)
{
    /// <summary>Choices that go on with the same text, each behind <paramref name="delimiter"/>.</summary>
    public static ChoiceItem OfContinuations(string id, string context, IReadOnlyList<string> choices, int gold, string delimiter = " ") =>
        new(id, [.. choices.Select(c => new ScoredText(context, delimiter + c))], choices, gold, context + delimiter + choices[gold]);

    /// <summary>Choices that stand before the same text.</summary>
    public static ChoiceItem OfContexts(string id, IReadOnlyList<string> contexts, string continuation, int gold, string delimiter = " ") =>
        new(id, [.. contexts.Select(c => new ScoredText(c, delimiter + continuation))], contexts, gold, contexts[gold] + delimiter + continuation);
}

/// <summary>A text whose end is to be predicted.</summary>
public sealed record PredictionItem(string Id, ScoredText Text, string Example) : TaskItem(Id, Example);

/// <summary>A question that is answered by generating text, always taking the likeliest token.</summary>
/// <param name="Id">What tells it from the others of its task.</param>
/// <param name="Prompt">The text to continue.</param>
/// <param name="Answer">The right answer, or <see langword="null"/> where something else judges it.</param>
/// <param name="Until">Texts at which generating ends.</param>
/// <param name="MaxTokens">Tokens to generate at most.</param>
/// <param name="Example">The question with its right answer.</param>
public sealed record GenerationItem(string Id, string Prompt, string? Answer, IReadOnlyList<string> Until, int MaxTokens, string Example) : TaskItem(Id, Example);
