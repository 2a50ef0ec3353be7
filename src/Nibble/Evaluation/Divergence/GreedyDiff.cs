using Nibble.Evaluation.Statistics;

namespace Nibble.Evaluation.Divergence;

/// <summary>One prompt continued by two models.</summary>
/// <param name="Prompt">The prompt.</param>
/// <param name="First">What the first model wrote.</param>
/// <param name="Second">What the second model wrote.</param>
/// <param name="Alike">Tokens that both begin with.</param>
public sealed record PromptDiff(DiffPrompt Prompt, GreedyText First, GreedyText Second, int Alike)
{
    /// <summary>Whether both wrote the same to the end.</summary>
    public bool IsSame => Alike == First.Tokens.Count && Alike == Second.Tokens.Count;

    /// <summary>Whether both wrote the same for so many tokens, or ended alike before.</summary>
    public bool AgreesAfter(int tokens) => Alike >= tokens || IsSame;
}

/// <summary>The share of prompts on which two models agree.</summary>
/// <param name="Tokens">After so many tokens.</param>
/// <param name="Prompts">Prompts whose texts are the same until then.</param>
/// <param name="Share">The same as a share of all.</param>
/// <param name="Lower">The lower bound of that share, with 95 % confidence.</param>
/// <param name="Upper">The upper bound of that share, with 95 % confidence.</param>
public readonly record struct Agreement(int Tokens, int Prompts, double Share, double Lower, double Upper);

/// <summary>Where two models' texts part, over many prompts.</summary>
/// <param name="Prompts">Every prompt.</param>
/// <param name="Agreements">How many agree after 1, 2, 4, … tokens.</param>
/// <param name="Json">Whether the texts that are to be JSON are; <see langword="null"/> where none is to be.</param>
public sealed record GreedyDiff(IReadOnlyList<PromptDiff> Prompts, IReadOnlyList<Agreement> Agreements, PairedComparison? Json)
{
    /// <summary>Compares what two models wrote.</summary>
    /// <param name="prompts">The prompts.</param>
    /// <param name="first">The first model's texts.</param>
    /// <param name="second">The second model's texts.</param>
    /// <param name="tokens">Tokens that each was to write.</param>
    /// <param name="seed">The same seed gives the same intervals.</param>
    public static GreedyDiff Of(IReadOnlyList<DiffPrompt> prompts, IReadOnlyList<GreedyText> first, IReadOnlyList<GreedyText> second, int tokens, int seed = 0)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        PromptDiff[] diffs = [.. prompts.Select((prompt, i) => new PromptDiff(prompt, first[i], second[i], Alike(first[i].Tokens, second[i].Tokens)))];
        List<Agreement> agreements = [];
        for (int after = 1; ; after = Math.Min(2 * after, tokens))
        {
            int count = diffs.Count(d => d.AgreesAfter(after));
            (double lower, double upper) = WilsonInterval.Of(count, diffs.Length);
            agreements.Add(new(after, count, (double)count / diffs.Length, lower, upper));
            if (after >= tokens) break;
        }
        PromptDiff[] json = [.. diffs.Where(d => d.Prompt.WantsJson)];
        return new(diffs, agreements, json.Length == 0 ? null : PairedComparison.OfAnswers(Validity(json, d => d.First), Validity(json, d => d.Second), seed));
    }

    private static int Alike(IReadOnlyList<int> first, IReadOnlyList<int> second)
    {
        int alike = 0;
        while (alike < first.Count && alike < second.Count && first[alike] == second[alike]) alike++;
        return alike;
    }

    private static double[] Validity(PromptDiff[] diffs, Func<PromptDiff, GreedyText> text) => [.. diffs.Select(d => JsonValidity.IsValid(text(d).Text) ? 1.0 : 0)];
}
