using System.Globalization;
using Nibble.Evaluation.Divergence;

namespace Nibble.Evaluation;

/// <summary>How far a variant may be from its base.</summary>
public sealed record QualityBounds
{
    /// <summary>Largest mean KL divergence, in nats per token.</summary>
    public double? MaxDivergence { get; init; }

    /// <summary>Largest increase of the perplexity, as a share of the base's: 0.02 for 2 %.</summary>
    public double? MaxPerplexityIncrease { get; init; }

    /// <summary>Smallest share of tokens for which both hold the same token most likely, from 0 to 1.</summary>
    public double? MinSameTop { get; init; }

    /// <summary>Whether anything is bounded.</summary>
    public bool IsEmpty => MaxDivergence is null && MaxPerplexityIncrease is null && MinSameTop is null;

    /// <summary>The bounds in words.</summary>
    public override string ToString()
    {
        List<string> bounds = [];
        if (MaxDivergence is { } divergence) bounds.Add(Invariant($"KL divergence at most {divergence}"));
        if (MaxPerplexityIncrease is { } increase) bounds.Add(Invariant($"perplexity at most {100 * increase:0.####} % above the base's"));
        if (MinSameTop is { } same) bounds.Add(Invariant($"same top token at least {100 * same:0.####} %"));
        return string.Join(", ", bounds);
    }

    /// <summary>The bounds that a result breaks, each in words with the measured value and its standard error; none where it keeps all.</summary>
    public IReadOnlyList<string> Broken(DivergenceResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        List<string> broken = [];
        if (MaxDivergence is { } divergence && !(result.Mean.Value <= divergence))
            broken.Add(Invariant($"the mean KL divergence is {result.Mean.ToText("F6")}, more than {divergence}"));
        if (MaxPerplexityIncrease is { } increase && !(result.Ratio.Value - 1 <= increase))
            broken.Add(Invariant($"the perplexity is {result.Increase.ToText("F3", 100)} % above the base's, more than {100 * increase:0.####} %"));
        if (MinSameTop is { } same && !(result.SameTop.Value >= same))
            broken.Add(Invariant($"the likeliest token is the same for {result.SameTop.ToText("F2", 100)} %, less than {100 * same:0.####} %"));
        return broken;
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>A variant breaks a bound. The command line exits with code 3.</summary>
public sealed class BrokenBoundsException(string message) : NibbleException(message);
