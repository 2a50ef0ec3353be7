namespace Nibble.Evaluation.Divergence;

/// <summary>How two models predict one token of a text.</summary>
/// <param name="Token">The token that the text has.</param>
/// <param name="BaseTop">The token that the base holds most likely.</param>
/// <param name="Top">The token that the variant holds most likely.</param>
/// <param name="BaseLogProbability">The natural logarithm of the probability that the base gives to <paramref name="Token"/>.</param>
/// <param name="LogProbability">The same of the variant.</param>
/// <param name="Divergence">The Kullback-Leibler divergence of the variant's distribution from the base's, in nats.</param>
public readonly record struct TokenDivergence(int Token, int BaseTop, int Top, double BaseLogProbability, double LogProbability, double Divergence)
{
    /// <summary>Whether both hold the same token most likely.</summary>
    public bool IsSameTop => BaseTop == Top;

    /// <summary>By how much the variant's probability of <see cref="Token"/> is larger than the base's.</summary>
    public double ProbabilityChange => Math.Exp(LogProbability) - Math.Exp(BaseLogProbability);
}
