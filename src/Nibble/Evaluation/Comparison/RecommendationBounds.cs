namespace Nibble.Evaluation.Comparison;

/// <summary>What a recommended variant may lose at most.</summary>
public sealed record RecommendationBounds
{
    /// <summary>
    /// How much perplexity may rise, as a fraction. For Llama 3 8B the published table of llama.cpp has +2.4 % at Q4_K_M, +3.7 % at
    /// IQ4_XS and +8 % at Q3_K_M: up to here a step down saves more size than it costs quality, beyond it the loss doubles with each.
    /// </summary>
    public double MaxPerplexityIncrease { get; init; } = 0.03;

    /// <summary>
    /// The largest mean KL divergence, in nats. In the same table it is 0.03 at Q4_K_M and 0.08 at Q3_K_M. It sees changes that cancel
    /// out in perplexity.
    /// </summary>
    public double MaxMeanKld { get; init; } = 0.05;

    /// <summary>
    /// The largest share of a task's items that may be lost for sure. Loss counts where the whole interval lies beyond and the task is told apart, because few
    /// items make intervals too wide to ask that all of them lie within.
    /// </summary>
    public double MaxTaskLoss { get; init; } = 0.02;

    /// <summary>
    /// Fewer windows are no evidence: the tokens of one window are alike, so that the errors, which count tokens, are too small, and
    /// by how much cannot be seen in a handful.
    /// </summary>
    public int FewestWindows { get; init; } = 10;

    /// <summary>How often a task may seem different by chance, over all tasks of a variant together.</summary>
    public double Significance { get; init; } = 0.05;
}
