using Nibble.Evaluation.Tasks;

namespace Nibble.Evaluation.Cards;

/// <summary>What a model scored in a task.</summary>
/// <param name="Task">The task's name, such as <c>arc_easy</c>.</param>
/// <param name="Metric">What was counted, such as <c>acc_norm</c> or <c>exact_match,strict-match</c>; without a dot.</param>
/// <param name="Value">The score.</param>
/// <param name="Error">Its standard error; no number where a single question leaves it unknown.</param>
/// <param name="Items">Questions asked.</param>
/// <param name="Shots">Worked examples in front of each.</param>
/// <param name="Seed">By which those were drawn.</param>
/// <param name="Limit">The most questions that were to be asked; <see langword="null"/> for all.</param>
/// <param name="Cache">How keys and values were stored, see <see cref="Models.CacheOptions.Description"/>.</param>
public sealed record TaskScore(string Task, string Metric, double Value, double Error, int Items, int Shots, int Seed, int? Limit, string Cache)
{
    /// <summary>The score in words: a share in percent, a perplexity as it is.</summary>
    public string Text => Metric == TaskMetric.Perplexity.ShortKey ? new Estimate(Value, Error).ToText("F2") : $"{new Estimate(Value, Error).ToText("F2", 100)} %";
}
