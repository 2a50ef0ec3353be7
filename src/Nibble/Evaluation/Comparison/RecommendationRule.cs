namespace Nibble.Evaluation.Comparison;

/// <summary>
/// Recommends the smallest variant that is within bounds, uncertainty included: the upper ends of its 95 % intervals of the rise in
/// perplexity and of the mean KL divergence are within theirs, and no task is lost for sure (<see cref="Lost"/>). A variant
/// is beyond where the lower ends are beyond a bound; between the two it is undecided, and only more text can tell.
/// </summary>
public static class RecommendationRule
{
    /// <summary>What the evidence says of one variant.</summary>
    public static Verdict Judge(DivergenceFigures divergence, IReadOnlyList<TaskDifference> tasks, RecommendationBounds bounds)
    {
        ArgumentNullException.ThrowIfNull(divergence);
        ArgumentNullException.ThrowIfNull(tasks);
        ArgumentNullException.ThrowIfNull(bounds);
        Estimate ratio = divergence.PerplexityRatio, kld = divergence.MeanKld;
        double limit = 1 + bounds.MaxPerplexityIncrease;
        if (ratio.Low > limit || kld.Low > bounds.MaxMeanKld || Lost(tasks, bounds).Any()) return Verdict.Beyond;
        return ratio.High <= limit && kld.High <= bounds.MaxMeanKld ? Verdict.Within : Verdict.Undecided;
    }

    /// <summary>
    /// The tasks that are lost for sure: the whole interval lies beyond the bound, and they are <see cref="Distinguishable"/>. The interval
    /// alone would not do, because resampling few items that fell to one side finds too little spread.
    /// </summary>
    public static IEnumerable<TaskDifference> Lost(IReadOnlyList<TaskDifference> tasks, RecommendationBounds bounds)
    {
        ArgumentNullException.ThrowIfNull(tasks);
        ArgumentNullException.ThrowIfNull(bounds);
        bool[] differs = Distinguishable(tasks, bounds.Significance);
        return tasks.Where((t, i) => differs[i] && t.High < -bounds.MaxTaskLoss);
    }

    /// <summary>
    /// Which of a variant's tasks differ from the base beyond chance: Holm's step-down of McNemar's exact p-values, so that among many
    /// tasks none seems different only because there are many.
    /// </summary>
    /// <returns>One answer for each task, in the same order.</returns>
    public static bool[] Distinguishable(IReadOnlyList<TaskDifference> tasks, double significance)
    {
        ArgumentNullException.ThrowIfNull(tasks);
        bool[] differs = new bool[tasks.Count];
        int left = tasks.Count;
        foreach ((int index, TaskDifference task) in tasks.Index().OrderBy(t => t.Item.PValue))
        {
            if (!(task.PValue <= significance / left--)) break;
            differs[index] = true;
        }
        return differs;
    }

    /// <summary>Says which variant to take.</summary>
    /// <param name="original">The base.</param>
    /// <param name="variants">The variants, judged.</param>
    /// <param name="windows">Windows of text that were read.</param>
    /// <param name="bounds">What may be lost.</param>
    public static Recommendation Recommend(ComparedModel original, IReadOnlyList<VariantReport> variants, int windows, RecommendationBounds bounds)
    {
        ArgumentNullException.ThrowIfNull(original);
        ArgumentNullException.ThrowIfNull(variants);
        ArgumentNullException.ThrowIfNull(bounds);
        RecommendationWords words = new(original, bounds);
        VariantReport[] bySize = [.. variants.OrderBy(v => v.Model.Bytes)];
        VariantReport? choice = Array.Find(bySize, v => v.Verdict == Verdict.Within);
        if (windows < bounds.FewestWindows)
            return new(RecommendationKind.NotEnoughEvidence, null, words.FewWindows(windows), [.. choice is null ? (string[])[] : [words.SoFar(choice)], RecommendationWords.MoreText()]);
        if (choice is not null)
        {
            int place = Array.IndexOf(bySize, choice);
            string?[] reasons = [RecommendationWords.More(choice), words.Smaller(bySize.AsSpan(0, place)), words.Larger(bySize.AsSpan(place + 1)), words.Tasks(choice), words.Rule()];
            return new(RecommendationKind.Recommended, choice.Model.Name, words.Choice(choice, place > 0 ? bySize[place - 1] : null), [.. reasons.OfType<string>()]);
        }
        if (Array.Find(bySize, v => v.Verdict == Verdict.Undecided) is { } undecided)
            return new(RecommendationKind.NotEnoughEvidence, null, words.Undecided(undecided), [RecommendationWords.MoreText(), words.Rule()]);
        VariantReport nearest = bySize.MinBy(v => v.Divergence.MeanKld.Value)!;
        return new(RecommendationKind.NoneWithin, null, words.NoneWithin(nearest), [RecommendationWords.LargerLevel(), words.Rule()]);
    }
}
