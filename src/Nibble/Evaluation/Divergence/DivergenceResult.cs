namespace Nibble.Evaluation.Divergence;

/// <summary>How far a variant is from its base on a text. The numbers are those of llama.cpp's <c>llama-perplexity --kl-divergence</c>.</summary>
public sealed class DivergenceResult
{
    internal DivergenceResult(IReadOnlyList<TokenDivergence> tokens, int windows, int contextLength, double samplingError = 0)
    {
        Tokens = tokens;
        Windows = windows;
        ContextLength = contextLength;
        SamplingError = samplingError;
        PairStatistics losses = default, divergences = default, changes = default;
        long same = 0;
        foreach (TokenDivergence token in tokens)
        {
            losses.Add(-token.LogProbability, -token.BaseLogProbability);
            divergences.Add(token.Divergence, 0);
            double change = token.ProbabilityChange;
            changes.Add(change, change * change);
            if (token.IsSameTop) same++;
        }
        Perplexity = PerplexityResult.Of(losses.X, losses.Count, windows, contextLength);
        BasePerplexity = PerplexityResult.Of(losses.Y, losses.Count, windows, contextLength);
        LogRatio = losses.Difference;
        Correlation = losses.Correlation;
        Mean = divergences.X; // a sample makes the tokens' divergences vary more, so its error is part of this one's
        ProbabilityChange = changes.X;
        double rms = Math.Sqrt(changes.Y.Value);
        RmsProbabilityChange = new(rms, rms == 0 ? 0 : changes.Y.Error / (2 * rms));
        SameTop = Estimate.Share(same, tokens.Count);
        Divergences = new(tokens.Select(t => t.Divergence));
        ProbabilityChanges = new(tokens.Select(t => t.ProbabilityChange));
    }

    /// <summary>Every scored token, in the order of the text.</summary>
    public IReadOnlyList<TokenDivergence> Tokens { get; }

    /// <summary>Windows read.</summary>
    public int Windows { get; }

    /// <summary>Tokens of a window.</summary>
    public int ContextLength { get; }

    public PerplexityResult BasePerplexity { get; }

    public PerplexityResult Perplexity { get; }

    /// <summary>The natural logarithm of <see cref="Ratio"/>; its error takes into account that both models find the same tokens hard.</summary>
    public Estimate LogRatio { get; }

    /// <summary>The variant's perplexity divided by the base's.</summary>
    public Estimate Ratio => new(Math.Exp(LogRatio.Value), Math.Exp(LogRatio.Value) * LogRatio.Error);

    /// <summary>By how much the variant's perplexity is higher, as a share of the base's: <see cref="Ratio"/> less 1.</summary>
    public Estimate Increase => Ratio with { Value = Ratio.Value - 1 };

    /// <summary>Correlation of the logarithms of both perplexities; no number for a single token.</summary>
    public double Correlation { get; }

    /// <summary>Mean Kullback-Leibler divergence of the variant from the base, in nats per token.</summary>
    public Estimate Mean { get; }

    /// <summary>The part of the error of <see cref="Mean"/> that comes from a base file instead of the base itself; 0 where both models ran.</summary>
    public double SamplingError { get; }

    /// <summary>The divergences of the tokens.</summary>
    public Percentiles Divergences { get; }

    /// <summary>Mean change of the probability of the text's own token.</summary>
    public Estimate ProbabilityChange { get; }

    /// <summary>Root mean square of that change.</summary>
    public Estimate RmsProbabilityChange { get; }

    /// <summary>Those changes.</summary>
    public Percentiles ProbabilityChanges { get; }

    /// <summary>The share of tokens for which both models hold the same token most likely.</summary>
    public Estimate SameTop { get; }
}
