using Nibble.Evaluation.Batching;
using Nibble.Generation;
using Nibble.Models;

namespace Nibble.Evaluation.Divergence;

/// <summary>What a model continues a prompt with, always taking the likeliest token.</summary>
/// <param name="Tokens">The tokens; one that ends the text is not among them.</param>
/// <param name="Text">The same as text.</param>
/// <param name="Ends">The length of the text after each token, in characters.</param>
public sealed record GreedyText(IReadOnlyList<int> Tokens, string Text, IReadOnlyList<int> Ends)
{
    /// <summary>Continues many prompts at once.</summary>
    /// <param name="model">The model.</param>
    /// <param name="prompts">The prompts.</param>
    /// <param name="tokens">Tokens to generate for each at most.</param>
    /// <param name="contextLength">Tokens of prompt and text together; <see langword="null"/> for as many as the model was trained for.</param>
    /// <param name="cache">How keys and values are stored; <see langword="null"/> for half precision.</param>
    /// <param name="progress">Told after every pass which share is done, from 0 to 1.</param>
    /// <param name="cancellationToken">Stops after the pass at hand.</param>
    /// <exception cref="NibbleException">A prompt and its text have no room in the context, or the model's scores are no numbers.</exception>
    public static IReadOnlyList<GreedyText> Generate(LanguageModel model, IReadOnlyList<DiffPrompt> prompts, int tokens, int? contextLength = null,
        CacheOptions? cache = null, IProgress<double>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(prompts);
        if (tokens < 1) Throw.BadInput($"{tokens} tokens were asked for; take at least 1 (-n)");
        int context = contextLength is { } wanted ? model.ContextFor(wanted) : model.Network.ContextLength;
        GenerationJob[] jobs = [.. prompts.Select((prompt, i) =>
        {
            int[] ids = model.Tokenizer.Encode(prompt.Text, parseSpecial: true);
            if (ids.Length + tokens > context)
                Throw.BadInput($"prompt {i + 1} has {ids.Length} tokens, and with {tokens} more the text exceeds the context of {context}; shorten it or generate fewer (-n)");
            return new GenerationJob(model.Tokenizer, ids, tokens, []);
        })];
        long total = jobs.Sum(j => (long)j.Cost), done = 0;
        JobRunner.Run(model, jobs, _ => { }, passed => progress?.Report((double)Math.Min(total, done += passed) / total), cache, cancellationToken);
        return [.. jobs.Select(j => new GreedyText(j.Tokens, j.Text, j.Ends))];
    }

    /// <summary>The text of the first <paramref name="count"/> tokens.</summary>
    public string First(int count) => count == 0 ? "" : Text[..Ends[count - 1]];
}
