namespace Nibble.Evaluation.Tasks;

/// <summary>What a model made of one item, from which every measure of it follows.</summary>
/// <param name="LogLikelihoods">The natural logarithm of the probability of each text's end; empty where text was generated.</param>
/// <param name="IsGreedy">Whether always taking the likeliest token gives that end.</param>
/// <param name="Text">What was generated, or <see langword="null"/>.</param>
/// <param name="TruncatedTokens">Tokens at the beginning that were left out because the context does not hold them, of the longest text.</param>
public sealed record ItemOutcome(IReadOnlyList<double> LogLikelihoods, IReadOnlyList<bool> IsGreedy, string? Text, int TruncatedTokens);
