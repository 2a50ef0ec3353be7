namespace Nibble.Evaluation.Comparison;

/// <summary>Which variant to take, in words.</summary>
/// <param name="Kind">What the evidence allows to say.</param>
/// <param name="Variant">The variant that is recommended, or <see langword="null"/> for none.</param>
/// <param name="Headline">One sentence.</param>
/// <param name="Reasons">Further sentences, the weightiest first; each difference with its uncertainty.</param>
public sealed record Recommendation(RecommendationKind Kind, string? Variant, string Headline, IReadOnlyList<string> Reasons);

/// <summary>What the evidence allows to say.</summary>
public enum RecommendationKind
{
    /// <summary>A variant is within all bounds.</summary>
    Recommended,

    /// <summary>Too little was measured, or every interval reaches over a bound.</summary>
    NotEnoughEvidence,

    /// <summary>Every variant loses more than the bounds allow.</summary>
    NoneWithin,
}
