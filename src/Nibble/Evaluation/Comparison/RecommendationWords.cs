namespace Nibble.Evaluation.Comparison;

/// <summary>The sentences of a recommendation.</summary>
internal sealed class RecommendationWords(ComparedModel original, RecommendationBounds bounds)
{
    /// <param name="v">The choice.</param>
    /// <param name="next">The next smaller variant, or <see langword="null"/> for none.</param>
    public string Choice(VariantReport v, VariantReport? next)
    {
        string tasks = "";
        if (v.Tasks.Count > 0)
        {
            int alike = RecommendationRule.Distinguishable(v.Tasks, bounds.Significance).Count(differs => !differs);
            tasks = $", indistinguishable on {alike} of {(v.Tasks.Count == 1 ? "1 task" : $"{v.Tasks.Count} tasks")}";
        }
        string below = next?.Verdict == Verdict.Beyond ? "; below it quality falls off" : "";
        return $"{v.Model.Name}: {Size(v)}, {Perplexity(v)}{tasks}{below}.";
    }

    /// <summary>What the choice costs beside perplexity.</summary>
    public static string More(VariantReport v) => $"Its mean KL divergence is {Figures.WithInterval(v.Divergence.MeanKld)} nats, and it has {Flips(v)}.";

    /// <summary>What lies below the choice.</summary>
    /// <param name="smaller">The variants smaller than it, the smallest first.</param>
    public string Smaller(ReadOnlySpan<VariantReport> smaller)
    {
        if (smaller.IsEmpty) return "It is the smallest that was measured; a still smaller one may do as well.";
        VariantReport next = smaller[^1];
        return next.Verdict == Verdict.Beyond
            ? $"Below it: {next.Model.Name}, at {Size(next)}, has {Loss(next)} and {Flips(next)}{LostTasks(next)}."
            : $"{next.Model.Name} is smaller, at {Size(next)}, and may do as well: with {Both(next)} it lies on both sides of a bound. A longer text would tell.";
    }

    /// <summary>What a larger one would bring.</summary>
    /// <param name="larger">The variants larger than the choice, the smallest first.</param>
    public string? Larger(ReadOnlySpan<VariantReport> larger)
    {
        foreach (VariantReport v in larger)
            if (v.IsOnFront) return $"For less loss take {v.Model.Name}, at {Size(v)}, with {Loss(v)} and {Flips(v)}.";
        return null;
    }

    /// <summary>Which tasks are told apart, and how fine the others could have been; <see langword="null"/> where there is nothing to say.</summary>
    public string? Tasks(VariantReport v)
    {
        bool[] differs = RecommendationRule.Distinguishable(v.Tasks, bounds.Significance);
        List<string> parts = [.. v.Tasks.Where((_, i) => differs[i]).Select(t => $"{t.Task} differs by {Figures.Points(t.Difference, t.Low, t.High)}")];
        double widest = v.Tasks.Where((_, i) => !differs[i]).Select(t => (t.High - t.Low) / 2).DefaultIfEmpty(0).Max();
        if (widest > 0) parts.Add($"on the {(parts.Count > 0 ? "other tasks" : v.Tasks.Count == 1 ? "task" : "tasks")} a difference below about {Figures.Fixed(100 * widest, 1)} points would not have shown");
        if (parts.Count == 0) return null;
        string text = string.Join("; ", parts);
        return $"{char.ToUpperInvariant(text[0])}{text[1..]}.";
    }

    public string FewWindows(int windows) =>
        $"Not enough evidence to recommend one: {(windows == 1 ? "1 window" : $"{windows} windows")} of text, and at least {bounds.FewestWindows} are needed.";

    public string SoFar(VariantReport v) => $"So far {v.Model.Name} is the smallest that seems good enough: {Size(v)}, {Loss(v)}.";

    public static string MoreText() => "Measure on a longer text, or on more of its windows (--text, --windows).";

    public string Undecided(VariantReport v) =>
        $"Not enough evidence to recommend one: {v.Model.Name}, at {Size(v)}, may be good enough, but with {Both(v)} it lies on both sides of a bound.";

    public string NoneWithin(VariantReport nearest) =>
        $"None of these is good enough: even {nearest.Model.Name}, the nearest to the original, has {Loss(nearest)} at {Size(nearest)}{LostTasks(nearest)}.";

    public static string LargerLevel() => "Try a level of more bits (--types), or quantize with an importance matrix (nibble imatrix) and compare its file (--files).";

    public string Rule() =>
        $"The rule: the smallest variant of which the 95 % intervals stay within +{Figures.Plain(100 * bounds.MaxPerplexityIncrease)} % perplexity and {Figures.Plain(bounds.MaxMeanKld)} nats of mean KL divergence, and which loses no task by more than {Figures.Plain(100 * bounds.MaxTaskLoss)} points for sure.";

    private string Size(VariantReport v) => $"{Figures.WholePercent((double)v.Model.Bytes / original.Bytes)} of the size";

    private static string Perplexity(VariantReport v) => $"perplexity {Figures.Change(v.Divergence.PerplexityRatio)}";

    private static string Loss(VariantReport v) => $"{Perplexity(v)}, mean KL divergence {Figures.WithInterval(v.Divergence.MeanKld)}";

    private static string Both(VariantReport v) => $"{Perplexity(v)} and mean KL divergence {Figures.WithInterval(v.Divergence.MeanKld)}";

    private static string Flips(VariantReport v) => $"another likeliest token in {Figures.PercentWithInterval(v.Divergence.TopChanged)} of places";

    private string LostTasks(VariantReport v)
    {
        TaskDifference[] lost = [.. RecommendationRule.Lost(v.Tasks, bounds)];
        return lost.Length == 0 ? "" : $", and loses {string.Join(", ", lost.Select(t => $"{t.Task} by {Figures.Points(t.Difference, t.Low, t.High)}"))}";
    }
}
