namespace Nibble.Evaluation.Comparison;

/// <summary>A stretch of the text, token by token, with what each model expected there.</summary>
/// <param name="Window">The window that it is from, counted from 1.</param>
/// <param name="Lead">The text just before it, which is not scored.</param>
/// <param name="Pieces">The texts of all tokens that are named below, by their index here.</param>
/// <param name="Tokens">The tokens of the passage.</param>
/// <param name="Base">What the base expected.</param>
/// <param name="Variants">What each variant expected, in the order of <see cref="ComparisonReport.Variants"/>.</param>
public sealed record Passage(int Window, string Lead, IReadOnlyList<string> Pieces, IReadOnlyList<PassageToken> Tokens, Expectation Base, IReadOnlyList<PassageVariant> Variants);

/// <summary>One token of a passage.</summary>
/// <param name="Text">What it adds to the text: nothing where it is the beginning of a character that the next token completes.</param>
/// <param name="Piece">The token itself, as an index into <see cref="Passage.Pieces"/>.</param>
public sealed record PassageToken(string Text, int Piece);

/// <summary>What a model expected at each token of a passage, before it saw it.</summary>
/// <param name="Actual">The probability of the token that came, one for each token.</param>
/// <param name="Likeliest">The likeliest tokens, the first first, for each token.</param>
public sealed record Expectation(IReadOnlyList<float> Actual, IReadOnlyList<IReadOnlyList<Candidate>> Likeliest);

/// <summary>A token that a model thought possible.</summary>
/// <param name="Piece">The token, as an index into <see cref="Passage.Pieces"/>.</param>
/// <param name="Probability">From 0 to 1.</param>
public readonly record struct Candidate(int Piece, float Probability);

/// <summary>What a variant expected, and how far that was from the base.</summary>
/// <param name="Name">The name of the variant.</param>
/// <param name="Divergence">The Kullback-Leibler divergence from the base at each token, in nats.</param>
/// <param name="Expected">What it expected.</param>
public sealed record PassageVariant(string Name, IReadOnlyList<float> Divergence, Expectation Expected);
